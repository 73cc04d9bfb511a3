import { readTime } from './process-rows.js';
import { taskField } from './task-record.js';

/** The ended threads of one process. */
interface Ended {
  ns: number;
  /** Start of the oldest of them, after boot. */
  startNs: number;
}

/**
 * CPU time of the ended threads of processes that end between two passes. The kernel's sum of a process lacks what
 * each of its threads used after it was removed from the process: about 5 us.
 */
export class EndedThreads {
  /** By process: threads reported since this pass and since the previous one began. A report can be a pass late. */
  #recent = new Map<number, Ended>();
  #earlier = new Map<number, Ended>();

  /** Starts a pass: threads that were reported before the previous one are forgotten. */
  begin(): void {
    [this.#recent, this.#earlier] = [this.#earlier, this.#recent];
    this.#recent.clear();
  }

  /** Adds the record of an ended thread that is not the leader of its process. */
  add(words: Uint32Array, at: number): void {
    const ns = readTime(words, at + taskField.runtime);
    const startNs = readTime(words, at + taskField.start);
    const tgid = words[at + taskField.tgid];
    const ended = this.#recent.get(tgid);
    if (ended === undefined) {
      this.#recent.set(tgid, { ns, startNs });
      return;
    }
    ended.ns += ns;
    ended.startNs = Math.min(ended.startNs, startNs);
  }

  /**
   * Removes the threads of a process that has ended.
   * @returns their CPU nanoseconds; less than those of all if the process is older than the previous pass
   */
  take(tgid: number, startNs: number): number {
    return takeFrom(this.#recent, tgid, startNs) + takeFrom(this.#earlier, tgid, startNs);
  }
}

function takeFrom(threads: Map<number, Ended>, tgid: number, startNs: number): number {
  const ended = threads.get(tgid);
  if (ended === undefined) return 0;
  threads.delete(tgid);
  // Older threads belong to another process that had the same id.
  return ended.startNs < startNs ? 0 : ended.ns;
}
