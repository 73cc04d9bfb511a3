/**
 * Why something fails, while it does: each cause is worth one line in the log, however often it is met, and whatever
 * else fails meanwhile.
 */
export class LoggedCauses {
  readonly #known = new Set<string>();

  /** Whether anything has failed since the last success. */
  get isFailing(): boolean {
    return this.#known.size > 0;
  }

  /**
   * Notes why a reading failed.
   * @param message several causes are separated by "; "
   * @returns whether one of them is new
   */
  add(message: string): boolean {
    const before = this.#known.size;
    for (const cause of message.split('; ')) this.#known.add(withoutFigures(cause));
    return this.#known.size > before;
  }

  /** Forgets all of them, since a reading succeeded. @returns whether there was one */
  clear(): boolean {
    const wasFailing = this.isFailing;
    this.#known.clear();
    return wasFailing;
  }
}

/**
 * Times, sizes, ids of processes, ports and what was found differ each time and are no other cause; the numbers in names of files and
 * devices, `temp1_input`, are.
 */
function withoutFigures(cause: string): string {
  return cause
    .replaceAll(/found ".*"/gsu, 'found ""')
    .replaceAll(/\d+(?:\.\d+){3}:\d+|(?<![\w:.-])\d+(?![\w:-])/gu, '0');
}
