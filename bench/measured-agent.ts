import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CpuClock } from '../src/linux/clocks.js';
import { readMemoryUse } from '../src/linux/memory-use.js';
import { findLongestSliceMs } from './known-metrics.js';
import { fetchPage, findPages } from './pages.js';
import { endProgram } from './processes.js';
import { findPublishedPackage } from './published-package.js';

/** The published program. */
export function findPublishedProgram(): string {
  return join(findPublishedPackage(), 'dist/src/cli/main.js');
}

/** CPU milliseconds since the start: of all threads, and of the main thread. */
export interface CpuUse {
  readonly cpuMs: number;
  readonly mainMs: number;
}

/** A benchmarked agent of the published program. */
export class MeasuredAgent {
  readonly #child: ChildProcess;
  readonly #pid: number;
  #pages: Promise<readonly string[]> | undefined;

  /** @param args options of `run` */
  constructor(args: readonly string[] = [], node: string = process.execPath) {
    this.#child = spawn(node, [findPublishedProgram(), 'run', ...args], { stdio: 'ignore' });
    this.#pid = this.#child.pid ?? NaN;
  }

  /** @throws Error when the agent has exited */
  readCpu(): CpuUse {
    const clock = new CpuClock();
    if (this.#child.exitCode !== null || !clock.read(this.#pid)) {
      throw new Error(`Cannot measure the agent: it ended with exit code ${this.#child.exitCode}`);
    }
    const schedstat = readFileSync(`/proc/${this.#pid}/task/${this.#pid}/schedstat`, 'utf8');
    const [mainNs = NaN] = schedstat.split(' ').map(Number);
    return { cpuMs: clock.seconds * 1000 + clock.nanoseconds / 1e6, mainMs: mainNs / 1e6 };
  }

  readMemory(): { readonly privateMegabytes: number; readonly residentMegabytes: number } {
    const { privateBytes, residentBytes } = readMemoryUse(this.#pid);
    return { privateMegabytes: privateBytes / 1e6, residentMegabytes: residentBytes / 1e6 };
  }

  /**
   * Reads the agent's pages as Prometheus does. @returns the maximum time for which its main thread was blocked
   * since the last call
   */
  async scrape(): Promise<number | undefined> {
    this.#pages ??= findPages(this.#pid);
    const pages = await Promise.all((await this.#pages).map(fetchPage));
    return findLongestSliceMs(pages.join('\n'));
  }

  async end(): Promise<void> {
    await endProgram(this.#child);
  }
}
