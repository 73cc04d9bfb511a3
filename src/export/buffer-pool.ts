/** Below this size, page faults do not matter. */
const blockBytes = 64 * 1024;
const maxKept = 4;

/**
 * Memory for large requests, reused after a request is delivered: in fresh memory the kernel maps every page at
 * its first touch, which costs several times as much as the encoding.
 */
export class BufferPool {
  readonly #kept: Buffer[] = [];

  /** Memory with undefined content; at most twice the length is reserved for it. */
  take(length: number): Buffer {
    if (length < blockBytes) return Buffer.allocUnsafeSlow(length);
    const i = this.#kept.findIndex((kept) => kept.length >= length && kept.length <= 2 * length);
    const [kept] = i === -1 ? [] : this.#kept.splice(i, 1);
    const bytes = kept ?? Buffer.allocUnsafeSlow(Math.ceil(length / blockBytes) * blockBytes);
    return bytes.subarray(0, length);
  }

  /** Takes back memory that is no longer read. */
  give({ buffer }: Buffer): void {
    if (buffer.byteLength < blockBytes) return;
    this.#kept.push(Buffer.from(buffer));
    if (this.#kept.length > maxKept) this.#kept.shift();
  }
}
