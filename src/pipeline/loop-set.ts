import type { ReadingLoop, ReadingLoops } from '../component/reading-loop.js';
import { describeDuration } from '../config/formats.js';

/** A loop that is overdue by this, plus twice its interval, has stalled. */
const stalledAfterMs = 10_000;
/** One day. */
const longestMs = 86_400_000;

/** Minimum and maximum interval in milliseconds. */
interface IntervalLimits {
  readonly min?: number;
  readonly max?: number;
}

/** The loops of one receiver. */
export class LoopSet implements ReadingLoops {
  readonly #name: string;
  readonly #loops = new Set<ReadingLoop>();
  readonly #intervals = new Map<ReadingLoop['setting'], number>();
  #isPaused: boolean;

  /**
   * @param name of the receiver, for messages
   * @param isPaused whether loops start paused, because the receiver was paused before its restart
   */
  constructor(name: string, isPaused = false) {
    this.#name = name;
    this.#isPaused = isPaused;
  }

  /** Whether the receiver has no loops, like one that accepts what others send. */
  get isEmpty(): boolean {
    return this.#loops.size === 0;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether the last reading of every loop failed. */
  get isFailing(): boolean {
    return this.#loops.size > 0 && [...this.#loops].every(({ isFailing }) => isFailing);
  }

  /** The interval per setting; the first one where loops with the same setting differ. */
  get intervals(): ReadonlyMap<ReadingLoop['setting'], number> {
    return new Map([...this.#loops].toReversed().map(({ setting, intervalMs }) => [setting, intervalMs]));
  }

  join(loop: ReadingLoop): () => void {
    this.#loops.add(loop);
    const intervalMs = this.#intervals.get(loop.setting);
    if (intervalMs !== undefined) void loop.setInterval(intervalMs);
    if (this.#isPaused) void loop.pause();
    return () => this.#loops.delete(loop);
  }

  /** @throws Error when the receiver does not read at intervals */
  async pause(): Promise<void> {
    this.#requireLoops('pause');
    this.#isPaused = true;
    await Promise.all([...this.#loops].map(async (loop) => loop.pause()));
  }

  /** @throws Error when the receiver does not read at intervals */
  async resume(): Promise<void> {
    this.#requireLoops('resume');
    this.#isPaused = false;
    await Promise.all([...this.#loops].map(async (loop) => loop.resume()));
  }

  /**
   * @param setting which of its intervals; required if it has two
   * @param limitsOf the limits of a setting
   * @throws Error when it has no such interval, or the interval is too short
   */
  async setInterval(
    intervalMs: number,
    setting?: string,
    limitsOf: (setting: ReadingLoop['setting']) => IntervalLimits = () => ({}),
  ): Promise<void> {
    this.#requireLoops('set the interval of');
    const chosen = this.#choose(setting);
    this.#check(intervalMs, chosen, limitsOf(chosen));
    const loops = [...this.#loops].filter((loop) => loop.setting === chosen);
    await Promise.all(loops.map(async (loop) => loop.setInterval(intervalMs)));
    this.#intervals.set(chosen, intervalMs);
  }

  /**
   * For how many milliseconds every loop that should have worked has not; undefined if one has, or none should
   * have.
   */
  findStallMs(nowMs = performance.now()): number | undefined {
    const late = [...this.#loops].map(({ dueMs, intervalMs }) => ({
      lateMs: nowMs - dueMs,
      limitMs: stalledAfterMs + 2 * intervalMs,
    }));
    const isStalled = late.length > 0 && late.every(({ lateMs, limitMs }) => lateMs > limitMs);
    return isStalled ? Math.min(...late.map(({ lateMs }) => lateMs)) : undefined;
  }

  #check(intervalMs: number, setting: string, { min = 1, max = longestMs }: IntervalLimits): void {
    if (intervalMs >= min && intervalMs <= max) return;
    throw new RangeError(
      `Cannot set the interval of ${this.#name}: expected ${setting} from ${describeDuration(min)} to ${describeDuration(max)}, found ${describeDuration(intervalMs)}`,
    );
  }

  #choose(setting: string | undefined): ReadingLoop['setting'] {
    const known = [...this.intervals.keys()];
    const chosen = known.find((one) => one === (setting ?? known[0]));
    if (chosen !== undefined && (setting !== undefined || known.length === 1)) return chosen;
    const found = setting === undefined ? 'none' : `"${setting}"`;
    throw new Error(
      `Cannot set the interval of ${this.#name}: expected which one, ${known.join(' or ')}, found ${found}`,
    );
  }

  #requireLoops(verb: string): void {
    if (this.#loops.size > 0) return;
    throw new Error(
      `Cannot ${verb} ${this.#name}: expected a receiver that reads at intervals, found one that does not`,
    );
  }
}
