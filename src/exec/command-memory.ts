import { readChildUsage } from '../linux/child-usage.js';
import { findPeakRssBytes } from '../linux/peak-memory.js';
import { listProcessTree } from '../linux/process-tree.js';

const pollMs = 100;

/** Follows how large a command gets. Must be finished. */
export class CommandMemory {
  readonly #timer: NodeJS.Timeout;
  #polledBytes = 0;

  /** @param pid of the command, which has just begun */
  constructor(pid: number) {
    this.#timer = setInterval(() => this.#poll(pid), pollMs);
  }

  /** Follows no longer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Stops to follow; the command has ended and was waited for.
   * @returns the largest resident set of one of its processes, in bytes; undefined for a command that was small
   * and short
   */
  finish(): number | undefined {
    this.stop();
    const { maxRssBytes } = readChildUsage();
    // The kernel counts what the process was before its execve, which was this one.
    if (maxRssBytes > process.resourceUsage().maxRSS * 1024) return maxRssBytes;
    return this.#polledBytes === 0 ? undefined : this.#polledBytes;
  }

  #poll(pid: number): void {
    for (const one of listProcessTree(pid)) {
      this.#polledBytes = Math.max(this.#polledBytes, findPeakRssBytes(one) ?? 0);
    }
  }
}
