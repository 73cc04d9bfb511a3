import { elementAt } from '../element.js';
import type { MachineSpec } from './machine-spec.js';
import { drawRates, jobs, services, type Program } from './program.js';
import { hash, Random } from './random.js';
import { SimulatedProcess } from './simulated-process.js';

const firstPid = 1000;
// The kernel's greatest, less those that are kept free.
const pids = 4_000_000;
const blockUs = 10_000_000;
const leastLifeUs = 1_000;

/** Who is born when, how long each lives and what each wants: all of it by the seed. */
export class Population {
  readonly #spec: MachineSpec;
  readonly #arrivals: Random;
  #births = 0;
  #nextUs: number;

  constructor(spec: MachineSpec) {
    this.#spec = spec;
    this.#arrivals = new Random(spec.seed, 2);
    this.#nextUs = 0;
    this.#waitForNext();
  }

  /** How many were born. */
  get births(): number {
    return this.#births;
  }

  /** When the next one is born, time awake in microseconds. */
  get nextUs(): number {
    return this.#nextUs;
  }

  /** Those that are there from the beginning. */
  createServices(): SimulatedProcess[] {
    return Array.from({ length: this.#spec.processes }, (_, i) =>
      this.#create(elementAt(services, i % services.length), 0, Infinity),
    );
  }

  /** The one that is born next. */
  createNext(): SimulatedProcess {
    const bornUs = this.#nextUs;
    const random = this.#arrivals;
    const program = random.choose(jobs);
    // As many live 1 to 2 ms as 2 to 4 ms, and so on to 4 to 8 s.
    const least = leastLifeUs * 2 ** random.integer(0, 12);
    const diesUs = bornUs + random.integer(least, 2 * least);
    this.#waitForNext();
    return this.#create(program, bornUs, diesUs);
  }

  /**
   * What a process wants from an instant on, in percent of a CPU. The machine as a whole is busy, less busy or
   * quiet for ten seconds each.
   */
  wantedPercent({ identity }: SimulatedProcess, atUs: number): number {
    const { program, pid, diesUs } = identity;
    if (diesUs < Infinity) return program.mostPercent;
    const { seed } = this.#spec;
    const level = hash(seed, 3, Math.floor(atUs / blockUs)) % 4;
    const own = hash(seed, 4, pid, atUs) % 101;
    return Math.floor((program.mostPercent * level * own) / 300);
  }

  #create(program: Program, bornUs: number, diesUs: number): SimulatedProcess {
    const { seed, sockets, gpus } = this.#spec;
    const index = this.#births++;
    const random = new Random(hash(seed, 5), index);
    const socket = random.integer(0, sockets - 1);
    const gpu = program.usesGpu === true && gpus > 0 ? random.integer(0, gpus - 1) : undefined;
    const rates = drawRates(this.#spec, random);
    return new SimulatedProcess({
      pid: firstPid + (index % pids),
      program,
      rates,
      socket,
      gpu,
      bornUs,
      diesUs,
    });
  }

  #waitForNext(): void {
    const { arrivalsPerSecond } = this.#spec;
    const meanUs = Math.max(1, Math.round(1e6 / arrivalsPerSecond));
    this.#nextUs = arrivalsPerSecond > 0 ? this.#nextUs + this.#arrivals.integer(1, 2 * meanUs) : Infinity;
  }
}
