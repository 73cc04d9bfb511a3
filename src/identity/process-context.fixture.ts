import { closeSync, ftruncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { koffi } from '../linux/koffi.js';
import { libc } from '../linux/libc.js';
import { wireTypes } from '../protobuf.js';

const memfdCreate: (name: string, flags: number) => number = libc.func(
  'int memfd_create(const char *name, unsigned int flags)',
);
const mmap: (...parameters: readonly number[]) => unknown = libc.func(
  'void *mmap(uintptr_t at, size_t length, int protection, int flags, int fd, long offset)',
);
const munmap: (address: unknown, length: number) => number = libc.func(
  'int munmap(void *address, size_t length)',
);

const length = 8192;
const readWrite = 3;
const privately = 2;
const payloadAt = 64;

/** A mapping of this process, like those in which OpenTelemetry SDKs publish the resource: empty at first. */
export class FakeContext {
  /** The whole mapping. */
  readonly bytes: Buffer;
  readonly #memory: unknown;

  constructor(name = 'OTEL_CTX') {
    const fd = memfdCreate(name, 0);
    ftruncateSync(fd, length);
    this.#memory = mmap(0, length, readWrite, privately, fd, 0);
    closeSync(fd);
    this.bytes = Buffer.from(koffi.view(this.#memory, length));
  }

  get address(): bigint {
    return koffi.address(this.#memory);
  }

  /** Writes header and payload, the signature last. */
  publish(payload: Uint8Array, { version = 2, size = payload.length, publishedAt = 1n } = {}): void {
    this.bytes.set(payload, payloadAt);
    this.bytes.writeUInt32LE(version, 8);
    this.bytes.writeUInt32LE(size, 12);
    this.bytes.writeBigUInt64LE(publishedAt, 16);
    this.bytes.writeBigUInt64LE(this.address + BigInt(payloadAt), 24);
    this.bytes.write('OTEL_CTX', 0, 'latin1');
  }

  end(): void {
    munmap(this.#memory, length);
  }
}

/** Writes the files of a process that publishes a context, in a mapping of this name, into its procfs folder. */
export function writeContext(folder: string, context: Uint8Array, name = '/memfd:OTEL_CTX (deleted)'): void {
  const address = 0x1000;
  const header = Buffer.alloc(32);
  header.write('OTEL_CTX', 'latin1');
  header.writeUInt32LE(2, 8);
  header.writeUInt32LE(context.length, 12);
  header.writeBigUInt64LE(1n, 16);
  header.writeBigUInt64LE(BigInt(address + header.length), 24);
  writeFileSync(join(folder, 'mem'), Buffer.concat([Buffer.alloc(address), header, context]));
  writeFileSync(
    join(folder, 'maps'),
    `00000000-00001000 r--p 00000000 00:00 0\n00001000-00002000 rw-p 00000000 00:01 7    ${name}\n`,
  );
}

/** A ProcessContext with these attributes in its resource. */
export function encodeContext(attributes: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(attributes).map(([key, value]) =>
    encodeMessage(1, Buffer.concat([encodeText(1, key), encodeMessage(2, encodeText(1, value))])),
  );
  return encodeMessage(1, Buffer.concat(pairs));
}

function encodeText(field: number, text: string): Buffer {
  return encodeMessage(field, Buffer.from(text));
}

function encodeMessage(field: number, content: Buffer): Buffer {
  const size =
    content.length < 0x80 ? [content.length] : [(content.length & 0x7f) | 0x80, content.length >> 7];
  return Buffer.concat([Buffer.from([(field << 3) | wireTypes.lengthDelimited, ...size]), content]);
}
