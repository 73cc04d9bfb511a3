/** Knows when every expected receiver has finished. */
export class FinishLine {
  readonly #onFinish: () => void;
  readonly #finished = new Set<string>();
  #expected: readonly string[] | undefined;

  /** @param onFinish called once, when no other is expected */
  constructor(onFinish: () => void) {
    this.#onFinish = onFinish;
  }

  /** A receiver has finished, maybe before it is known who is expected. */
  cross(id: string): void {
    if (this.#finished.has(id)) return;
    this.#finished.add(id);
    this.#check();
  }

  /** Says who has to finish. */
  expect(ids: readonly string[]): void {
    this.#expected = ids;
    this.#check();
  }

  #check(): void {
    if (this.#expected?.every((id) => this.#finished.has(id))) this.#onFinish();
  }
}
