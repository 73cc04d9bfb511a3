import type { ExportError } from '../component/errors.js';

interface Sized {
  readonly bytes: Uint8Array;
  readonly points: number;
}

/**
 * Sizes that the other side refused while one request was cut into parts. Parts that are as large are not sent:
 * they are cut first or, where they are a single point, dropped.
 */
export class SizeLimits {
  #parts: number;
  #points = Infinity;
  #isPartDelivered = false;
  /** The last refusal. */
  error: ExportError | undefined;

  /** @param parts the size of several points that was refused before */
  constructor(parts: number) {
    this.#parts = parts;
  }

  /** What the next request can rely on: nothing, unless parts were taken. */
  get learnt(): number {
    return this.#isPartDelivered ? this.#parts : Infinity;
  }

  /** Whether an equally large part was refused. */
  refuse({ bytes, points }: Sized): boolean {
    return bytes.length >= (points > 1 ? this.#parts : this.#points);
  }

  /** A part was taken. */
  delivered(): void {
    this.#isPartDelivered = true;
  }

  /** A part was refused for its size. */
  refused({ bytes, points }: Sized, error: ExportError): void {
    this.error = error;
    if (points > 1) this.#parts = Math.min(this.#parts, bytes.length);
    else this.#points = Math.min(this.#points, bytes.length);
  }
}
