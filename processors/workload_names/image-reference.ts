import {
  ATTR_CONTAINER_IMAGE_NAME,
  ATTR_CONTAINER_IMAGE_TAGS,
} from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';

/** Whether a reference is the digest of an image, which is not meaningful to users. */
export function isDigest(reference: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{12,64}$/u.test(reference);
}

/** The attributes of an image by its reference, `registry:5000/team/app:1.2@sha256:...`. None for a digest alone. */
export function describeImage(reference: string): Attributes {
  if (reference === '' || isDigest(reference)) return {};
  const [tagged = ''] = reference.split('@');
  // A colon before a slash precedes a port.
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  if (colon < 0) return { [ATTR_CONTAINER_IMAGE_NAME]: tagged };
  return {
    [ATTR_CONTAINER_IMAGE_NAME]: tagged.slice(0, colon),
    [ATTR_CONTAINER_IMAGE_TAGS]: tagged.slice(colon + 1),
  };
}
