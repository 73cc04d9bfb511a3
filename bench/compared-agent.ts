import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { findCharge, findMachineJoules, findMissed } from './known-metrics.js';
import { fetchPage, findPages } from './pages.js';
import { readTreeCpuMs, readTreeMemory } from './process-tree.js';
import { endProgram } from './processes.js';

/** An agent named on the command line. */
export interface Peer {
  readonly name: string;
  /** Shell command. */
  readonly command: string;
  readonly scrapeEverySeconds: number;
}

/** Measurements of an agent in a window. */
export interface Measured {
  /** Of the agent and all its descendants. */
  readonly cpuMsPerSecond: number;
  readonly privateMegabytes: number;
  readonly residentMegabytes: number;
  /** Undefined, here and below: not on the agent's pages. */
  readonly missed: number | undefined;
  /** Joules that the agent reports for the machine, divided by those that the meter counted in the same time. */
  readonly energyRatio: number | undefined;
  /** Joules charged to the bystander. */
  readonly bystanderJoules: number | undefined;
}

/** The true values at an instant. */
export interface Truth {
  readonly joules: number | undefined;
  readonly bystanderPid: number;
}

const keptCharacters = 2000;

/** A running agent that is scraped. */
export class ComparedAgent {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #pid: number;
  /** The end of its output to stderr. */
  #said = '';
  #pages: readonly string[] = [];
  readonly #everySeconds: number;
  #isScraped = false;
  #beganMs = 0;
  #cpuMs = 0;
  #machine: { readonly reported: number; readonly true: number }[] = [];
  #missed: number[] = [];
  #charged: number[] = [];
  #chargedByPower = 0;

  private constructor({ name, command, scrapeEverySeconds }: Peer) {
    this.name = name;
    this.#everySeconds = scrapeEverySeconds;
    this.#child = spawn('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-keptCharacters);
    });
    this.#pid = this.#child.pid ?? NaN;
  }

  static async start(peer: Peer): Promise<ComparedAgent> {
    const agent = new ComparedAgent(peer);
    await once(agent.#child, 'spawn');
    return agent;
  }

  /** Finds the pages on the ports where the agent listens, and starts a window. */
  async begin(): Promise<void> {
    if (this.#findEnd() !== undefined) return;
    this.#pages = await findPages(this.#pid);
    this.#cpuMs = readTreeCpuMs(this.#pid);
    this.#beganMs = performance.now();
  }

  /**
   * Reads the agent's pages as Prometheus does, unless the previous reading is still in progress; to be called
   * every second.
   */
  async scrape(second: number, readTruth: () => Truth): Promise<void> {
    if (this.#isScraped || second % this.#everySeconds !== 0) return;
    this.#isScraped = true;
    await this.#readPages(readTruth);
    this.#isScraped = false;
  }

  async #readPages(readTruth: () => Truth): Promise<void> {
    const pages = await Promise.all(this.#pages.map(fetchPage));
    const { joules, bystanderPid } = readTruth();
    const text = pages.join('\n');
    const reported = findMachineJoules(text);
    if (reported !== undefined && joules !== undefined) this.#noteJoules(reported, joules);
    const missed = findMissed(text);
    if (missed !== undefined) this.#missed.push(missed);
    const charge = findCharge(text, bystanderPid);
    if (charge === undefined) return;
    if ('joules' in charge) this.#charged.push(charge.joules);
    else this.#chargedByPower += charge.watts * this.#everySeconds;
  }

  /** An agent that refreshes its page rarely repeats values: only the instants at which the value changes count. */
  #noteJoules(reported: number, truth: number): void {
    if (this.#machine.at(-1)?.reported !== reported) this.#machine.push({ reported, true: truth });
  }

  /**
   * Ends the window.
   * @returns how the agent exited, if it exited before the end of the window
   */
  finish(): Measured | string {
    const end = this.#findEnd();
    if (end !== undefined) {
      console.error(`${this.name} ended with ${end}:\n${this.#said}`);
      return end;
    }
    const seconds = (performance.now() - this.#beganMs) / 1000;
    const { residentBytes, privateBytes } = readTreeMemory(this.#pid);
    // The first value may have been on the page for some time.
    const [first, last] = [this.#machine[1], this.#machine.at(-1)];
    return {
      cpuMsPerSecond: (readTreeCpuMs(this.#pid) - this.#cpuMs) / seconds,
      privateMegabytes: privateBytes / 1e6,
      residentMegabytes: residentBytes / 1e6,
      missed: growthOf(this.#missed),
      energyRatio:
        first === undefined || last === undefined || last === first
          ? undefined
          : (last.reported - first.reported) / (last.true - first.true),
      bystanderJoules: growthOf(this.#charged) ?? (this.#chargedByPower || undefined),
    };
  }

  #findEnd(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    return exitCode === null ? (signalCode ?? undefined) : `exit code ${exitCode}`;
  }

  async end(): Promise<void> {
    await endProgram(this.#child);
  }
}

function growthOf(values: readonly number[]): number | undefined {
  const [first, last] = [values[0], values.at(-1)];
  return first === undefined || last === undefined ? undefined : last - first;
}
