import { closeSync, readSync } from 'node:fs';
import { readPath } from '../linux/procfs.js';
import { openWithoutWaiting } from '../linux/regular-file.js';
import { findMessage, findText, readFields } from '../protobuf.js';

// The process context of OpenTelemetry, OTEP 4719: a memory mapping in which a process publishes its resource.
// Its header has the signature, the version (uint32), the length of the payload (uint32), when it was published
// (uint64, 0 while it is written), and the address of the payload (uint64), which is a ProcessContext as
// protobuf.
const signature = Buffer.from('OTEL_CTX');
const headerBytes = 32;
const supportedVersion = 2;

// Limits for foreign data. That of the payload is the same as in the eBPF profiler.
const maxPayloadBytes = 64 * 1024;
const maxMapsBytes = 512 * 1024;
const maxMappings = 8;
const maxAttempts = 3;

// Of a memfd, of one with a name, or of anonymous memory.
const mapping = /^([0-9a-f]+)-.* (?:\/memfd:OTEL_CTX(?: \(deleted\))?|\[anon(?:_shmem)?:OTEL_CTX\])$/;

const maps = Buffer.allocUnsafeSlow(maxMapsBytes);
const header = Buffer.allocUnsafeSlow(headerBytes);
const payload = Buffer.allocUnsafeSlow(maxPayloadBytes);

/** A process publishes an invalid process context. */
export class InvalidContextError extends Error {
  override readonly name = 'InvalidContextError';
}

/**
 * Reads the resource that a process publishes. Only string attributes are read.
 * @param folder of the process in procfs
 * @returns undefined if there is none, or it is just being written
 * @throws InvalidContextError, or the system's error if it is not readable
 */
export function readProcessContext(folder: string): ReadonlyMap<string, string> | undefined {
  const addresses = findMappings(folder);
  if (addresses.length === 0) return undefined;
  const fd = openWithoutWaiting(`${folder}/mem`);
  try {
    const bytes = readPayload(fd, addresses);
    return bytes === undefined ? undefined : parseProcessContext(bytes);
  } finally {
    closeSync(fd);
  }
}

/**
 * The attributes of the resource in a ProcessContext.
 * @throws InvalidContextError when the bytes are not a ProcessContext
 */
export function parseProcessContext(bytes: Uint8Array): ReadonlyMap<string, string> {
  try {
    const resource = findMessage(bytes, 1) ?? new Uint8Array();
    const attributes = readFields(resource).flatMap(({ number, value }) =>
      number === 1 && typeof value !== 'number' ? [readAttribute(value)] : [],
    );
    return new Map(attributes.filter(([, value]) => value !== ''));
  } catch (error) {
    throw new InvalidContextError('Cannot read a process context: expected a message, found other bytes', {
      cause: error,
    });
  }
}

/** A KeyValue, whose value is an AnyValue. Empty if that is not a string. */
function readAttribute(bytes: Uint8Array): readonly [key: string, value: string] {
  return [findText(bytes, 1), findText(findMessage(bytes, 2) ?? new Uint8Array(), 1)];
}

/** Start addresses of mappings with the name of a process context. */
function findMappings(folder: string): readonly bigint[] {
  const text = maps.subarray(0, readPath(`${folder}/maps`, maps));
  const addresses: bigint[] = [];
  for (let at = text.indexOf(signature); at >= 0; at = text.indexOf(signature, at + 1)) {
    const from = text.lastIndexOf('\n', at) + 1;
    const line = text.toString('latin1', from, at + 24).split('\n', 1)[0] ?? '';
    const [, address] = mapping.exec(line) ?? [];
    if (address !== undefined) addresses.push(BigInt(`0x${address}`));
    if (addresses.length === maxMappings) break;
  }
  return addresses;
}

/** The payload of the first mapping that has one. */
function readPayload(fd: number, addresses: readonly bigint[]): Uint8Array | undefined {
  const address = findEstablished(fd, addresses);
  if (address === undefined) return undefined;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const bytes = readOnce(fd, address);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** The signature is written last: without it, the mapping is empty. */
function findEstablished(fd: number, addresses: readonly bigint[]): bigint | undefined {
  const versions = addresses.map((address) => readVersion(readAt(fd, header, address)));
  const at = versions.indexOf(supportedVersion);
  if (at >= 0) return addresses[at];
  if (versions.every((version) => version === undefined)) return undefined;
  const found = versions.join(' and ');
  throw new InvalidContextError(
    `Cannot read a process context: expected version ${supportedVersion}, found ${found}`,
  );
}

/** NaN if the signature is wrong; undefined if none is written yet. */
function readVersion(found: Buffer): number | undefined {
  if (found.indexOf(signature) === 0) return found.readUInt32LE(8);
  return found.subarray(0, signature.length).every((byte) => byte === 0) ? undefined : NaN;
}

/** @returns undefined if the process was writing meanwhile */
function readOnce(fd: number, address: bigint): Uint8Array | undefined {
  readAt(fd, header, address);
  const length = header.readUInt32LE(12);
  const publishedAt = header.readBigUInt64LE(16);
  if (publishedAt === 0n) return undefined;
  const bytes = tryReadPayload(fd, header.readBigUInt64LE(24), length);
  if (readAt(fd, header, address).readBigUInt64LE(16) !== publishedAt) return undefined;
  if (bytes !== undefined) return bytes;
  const expected = `expected a payload of 1 to ${maxPayloadBytes} bytes at the address in its header`;
  throw new InvalidContextError(`Cannot read a process context: ${expected}, found ${length} bytes`);
}

/** Undefined if the header is invalid, or was changed meanwhile. */
function tryReadPayload(fd: number, address: bigint, length: number): Uint8Array | undefined {
  if (length === 0 || length > maxPayloadBytes) return undefined;
  try {
    return readAt(fd, payload.subarray(0, length), address);
  } catch {
    return undefined;
  }
}

/** @throws Error if there is no such memory, or less of it */
function readAt(fd: number, target: Buffer, address: bigint): Buffer {
  const read = readSync(fd, target, 0, target.length, address);
  if (read === target.length) return target;
  throw new InvalidContextError(
    `Cannot read a process context: expected ${target.length} bytes at 0x${address.toString(16)}, found ${read}`,
  );
}
