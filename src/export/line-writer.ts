/** A growing byte buffer. Space is reserved in advance, so that writes need no checks. */
export class LineWriter {
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Reserves space for this many more bytes. */
  reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, wanted));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Writes a copy of some bytes. */
  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes a short text of ASCII characters. */
  ascii(text: string): void {
    const bytes = this.#bytes;
    const at = this.#length;
    const { length } = text;
    for (let i = 0; i < length; i += 1) bytes[at + i] = text.charCodeAt(i);
    this.#length = at + length;
  }

  comma(): void {
    this.#bytes[this.#length] = 44;
    this.#length += 1;
  }

  /**
   * Returns a copy of the written bytes and clears the buffer.
   * @param allocate provides the memory for the copy
   */
  take(allocate: (length: number) => Buffer = Buffer.allocUnsafeSlow): Buffer {
    const taken = allocate(this.#length);
    taken.set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }
}
