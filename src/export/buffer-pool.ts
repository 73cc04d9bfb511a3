/** Below this size the kernel's part of an allocation does not count. */
const blockBytes = 64 * 1024;
const maxKept = 4;

/**
 * Memory for large requests, used again once a request was delivered: of fresh memory the kernel maps every
 * page at its first touch, which costs several times the encoding.
 */
export class BufferPool {
  readonly #kept: Buffer[] = [];

  /** Memory with unknown content; at most twice as much is held for it. */
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
