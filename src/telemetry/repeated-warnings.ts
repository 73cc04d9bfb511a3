import type { LogFields } from '../component/log.js';

type Warn = (message: string, fields?: LogFields) => void;

interface Repetition {
  readonly warn: Warn;
  readonly message: string;
  /** How often the warning came again since it was written. */
  count: number;
}

const intervalMs = 60_000;
/** Warnings that differ each time must not fill the memory. */
const maxKnown = 1000;

/** Writes a warning that is repeated once, and a minute later, or at the end of the process, how often it came again. */
export class RepeatedWarnings {
  readonly #known = new Map<string, Repetition>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onExit = () => this.flush();

  /**
   * A component's way to warn.
   * @param component its id; undefined: the service itself
   * @param warn writes a warning
   */
  for(component: string | undefined, warn: Warn): Warn {
    return (message, fields) => {
      const key = `${component ?? ''}\n${message}`;
      const known = this.#known.get(key);
      if (known === undefined) this.#begin(key, { warn, message, count: 0 }, fields);
      else known.count += 1;
    };
  }

  /** Writes how often warnings came again, and forgets them. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    process.off('exit', this.#onExit);
    const repetitions = [...this.#known.values()];
    this.#known.clear();
    for (const { warn, message, count } of repetitions) {
      if (count > 0) warn(`${message} (repeated ${count} ${count === 1 ? 'time' : 'times'})`);
    }
  }

  #begin(key: string, repetition: Repetition, fields: LogFields | undefined): void {
    repetition.warn(repetition.message, fields);
    if (this.#known.size >= maxKnown) return;
    this.#known.set(key, repetition);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), intervalMs).unref();
    process.once('exit', this.#onExit);
  }
}
