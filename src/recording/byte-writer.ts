/** Bytes that grow as they are written. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 64 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Writes a copy of some bytes. */
  bytes(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes a short text of ASCII characters, say a number. */
  ascii(text: string): void {
    this.#ensure(text.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i += 1) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** Takes back the last byte. */
  dropLast(): void {
    this.#length -= 1;
  }

  /** A copy of what was written; the next byte is the first one again. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #ensure(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, wanted));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
