import { monotonicSinceOriginNs, readThreadCpuNs } from '../linux/clocks.js';
import { enterRealTime, leaveRealTime } from '../linux/thread.js';
import type { NoteMessage } from './thread-connection.js';

/** Maximum period of samplers that get real-time scheduling. */
export const fastPeriodNs = 3e6;
const checkEveryNs = 1e9;
const maxCpuShare = 0.8;

/** Gives a sampling thread real-time scheduling while a sampler needs it and it leaves CPU time to other threads. */
export class RealTimeGuard {
  readonly #note: (level: NoteMessage['level'], message: string) => void;
  #isRealTime = false;
  #isRefused = false;
  #checkedNs = 0;
  #cpuNs = 0;

  constructor(note: (level: NoteMessage['level'], message: string) => void) {
    this.#note = note;
  }

  /** Enters or leaves real-time scheduling, depending on the shortest period. */
  adapt(shortestPeriodNs: number): void {
    const isWanted = shortestPeriodNs <= fastPeriodNs && !this.#isRefused;
    if (isWanted === this.#isRealTime) return;
    if (isWanted) this.#enter();
    else this.#leave();
  }

  /** Leaves real-time scheduling permanently when the thread hardly sleeps any more. To be called once per flush. */
  check(): void {
    if (!this.#isRealTime) return;
    const elapsedNs = monotonicSinceOriginNs() - this.#checkedNs;
    if (elapsedNs < checkEveryNs) return;
    const share = (readThreadCpuNs() - this.#cpuNs) / elapsedNs;
    this.#mark();
    if (share < maxCpuShare) return;
    this.#isRefused = true;
    this.#leave();
    this.#note('warn', describeOveruse(share));
  }

  #enter(): void {
    const code = enterRealTime();
    this.#isRealTime = code === undefined;
    this.#isRefused = !this.#isRealTime;
    this.#mark();
    if (code !== undefined) this.#note('info', describeRefusal(code));
  }

  #leave(): void {
    leaveRealTime();
    this.#isRealTime = false;
  }

  #mark(): void {
    this.#checkedNs = monotonicSinceOriginNs();
    this.#cpuNs = readThreadCpuNs();
  }
}

function describeRefusal(code: string): string {
  return (
    `Cannot use real-time scheduling for readings every ${fastPeriodNs / 1e6} ms and faster: expected ` +
    `CAP_SYS_NICE or an RLIMIT_RTPRIO of 1, found ${code}; some may be missed on a busy machine`
  );
}

function describeOveruse(share: number): string {
  return (
    `Cannot keep real-time scheduling: expected the samplers to use less than ` +
    `${maxCpuShare * 100} % of a cpu, found ${Math.round(share * 100)} %; readings may be missed on a busy machine`
  );
}
