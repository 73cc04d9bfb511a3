import { createHash } from 'node:crypto';
import { WireCursor } from '../../src/otlp/wire-cursor.js';
import { readFields } from '../../src/protobuf.js';

/** A message of the topic. */
export interface Message {
  /** Undefined: to any partition. */
  readonly key?: Buffer;
  /** An ExportMetricsServiceRequest. */
  readonly value: Buffer;
}

/** The request as one message. */
export function wrapRequest(bytes: Uint8Array): readonly Message[] {
  return [{ value: toBuffer(bytes) }];
}

/**
 * The request as one message for each of its resources. Field 1 of a request, repeated, has the resources: each field as
 * it stands is a request of its own, and nothing is copied.
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

/** 16 bytes that the same attributes have, whatever their order. @param content of a ResourceMetrics */
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
