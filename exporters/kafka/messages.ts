import { createHash } from 'node:crypto';
import { WireCursor } from '../../src/otlp/wire-cursor.js';
import { readFields } from '../../src/protobuf.js';

/** A message of the topic. */
export interface Message {
  /** Undefined: any partition. */
  readonly key?: Buffer;
  /** An ExportMetricsServiceRequest. */
  readonly value: Buffer;
}

/** Wraps the request in one message. */
export function wrapRequest(bytes: Uint8Array): readonly Message[] {
  return [{ value: toBuffer(bytes) }];
}

/**
 * Divides the request into one message per resource. Field 1 of a request, repeated, contains the resources:
 * the bytes of each field are a valid request, and nothing is copied.
 * @throws RangeError when the bytes are not a request
 */
export function divideByResource(bytes: Uint8Array): readonly Message[] {
  const cursor = new WireCursor();
  cursor.open(bytes);
  const messages: Message[] = [];
  while (cursor.at < bytes.length) {
    const from = cursor.at;
    cursor.readTag();
    const contentEnd = cursor.readEnd();
    const content = bytes.subarray(cursor.at, contentEnd);
    cursor.at = contentEnd;
    messages.push({ key: hashResource(content), value: toBuffer(bytes.subarray(from, contentEnd)) });
  }
  return messages;
}

/** A hash of 16 bytes that does not depend on the order of attributes. @param content of a ResourceMetrics */
function hashResource(content: Uint8Array): Buffer {
  const resource = readFields(content).find(({ number }) => number === 1)?.value;
  const attributes = typeof resource === 'object' ? readFields(resource) : [];
  const encoded = attributes.flatMap(({ number, value }) =>
    number === 1 && typeof value === 'object' ? [value] : [],
  );
  const hash = createHash('sha256');
  for (const attribute of encoded.toSorted(Buffer.compare)) hash.update(attribute);
  return hash.digest().subarray(0, 16);
}

/** The same memory as a buffer. */
function toBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
