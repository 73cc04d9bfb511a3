/**
 * The causes of a lasting failure: each one is logged once, however often it occurs, and whatever else fails
 * meanwhile.
 */
export class LoggedCauses {
  readonly #known = new Set<string>();

  /** Whether anything has failed since the last success. */
  get isFailing(): boolean {
    return this.#known.size > 0;
  }

  /**
   * Adds the cause of a failed reading.
   * @param message several causes are separated by "; "
   * @returns whether one of them is new
   */
  add(message: string): boolean {
    const before = this.#known.size;
    for (const cause of message.split('; ')) this.#known.add(withoutFigures(cause));
    return this.#known.size > before;
  }

  /** Forgets all causes after a successful reading. @returns whether there were any */
  clear(): boolean {
    const wasFailing = this.isFailing;
    this.#known.clear();
    return wasFailing;
  }
}

/**
 * Times, sizes, process ids, ports and found values vary between occurrences of one cause; numbers in names of
 * files and devices, such as `temp1_input`, do not.
 */
function withoutFigures(cause: string): string {
  return cause
    .replaceAll(/found ".*"/gsu, 'found ""')
    .replaceAll(/\d+(?:\.\d+){3}:\d+|(?<![\w:.-])\d+(?![\w:-])/gu, '0');
}
