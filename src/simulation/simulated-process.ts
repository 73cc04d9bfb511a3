import { nameExecutable } from '../identity/executable.js';
import { describeProcess } from '../identity/process-attributes.js';
import type { Attributes } from '../model/series.js';
import type { DomainKind, SimulatedDomain } from './machine-spec.js';

/** The power rates of a program, in tenths of a joule per second of CPU or GPU time. */
export interface Rates {
  readonly package: number;
  readonly core: number;
  readonly uncore: number;
  readonly dram: number;
  readonly gpu: number;
  /** Cycles and memory traffic per 10 ns of CPU time. */
  readonly cycles: number;
  readonly bytes: number;
}

/** A kind of process. */
export interface Program {
  readonly name: string;
  /** The path of its cgroup, version 2. */
  readonly cgroup: string;
  readonly path: string;
  /** Maximum use, in percent of a CPU: above 100 with several threads. */
  readonly maxPercent: number;
  readonly threads: number;
  /** Share of its CPU time in kernel mode, in percent. */
  readonly systemPercent: number;
  readonly usesGpu?: boolean;
  readonly isKernelThread?: boolean;
  readonly residentMib: number;
}

/** The identity of a process. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly program: Program;
  readonly rates: Rates;
  /** The socket of its CPUs. */
  readonly socket: number;
  /** Its GPU; undefined: none. */
  readonly gpu: number | undefined;
  /** Time awake at which it is started, in microseconds. */
  readonly bornUs: number;
  /** Time awake at which it ends; Infinity: never. */
  readonly diesUs: number;
}

// CPU time is counted in percent of a CPU times microseconds, that is 10 ns; with rates in tenths of a joule
// per second, each unit costs a whole number of nanojoules. Therefore everything is exact at every microsecond.
const nsPerUnit = 10n;

/** A process and its usage so far. */
export class SimulatedProcess {
  readonly identity: ProcessIdentity;
  /** Its current demand, in percent of a CPU; it gets what is available. */
  wantedPercent = 0;
  #percent = 0;
  #gpuPercent = 0;
  #units = 0;
  #gpuUnits = 0;
  /** Time awake since which it has its current shares. */
  #sinceUs: number;

  constructor(identity: ProcessIdentity) {
    this.identity = identity;
    this.#sinceUs = identity.bornUs;
  }

  /** Its current use, in percent of a CPU. */
  get percent(): number {
    return this.#percent;
  }

  /** Sets its shares of a CPU and of its GPU from this instant on. */
  share(atUs: number, percent: number, gpuPercent: number): void {
    this.#units += this.#percent * (atUs - this.#sinceUs);
    this.#gpuUnits += this.#gpuPercent * (atUs - this.#sinceUs);
    this.#sinceUs = atUs;
    this.#percent = percent;
    this.#gpuPercent = gpuPercent;
  }

  /** Its CPU time until an instant, which must not be before the last change of its shares: nanoseconds. */
  cpuNs(atUs: number): bigint {
    return BigInt(this.#unitsAt(atUs)) * nsPerUnit;
  }

  /** Its cycles until an instant. */
  cycles(atUs: number): number {
    return Math.round(this.#unitsAt(atUs) * this.identity.rates.cycles);
  }

  /** Its memory traffic on its socket until an instant, in bytes. */
  bytes(atUs: number): number {
    return Math.round(this.#unitsAt(atUs) * this.identity.rates.bytes);
  }

  /** Its energy in a domain until that instant, beyond idle energy: nanojoules. */
  energyNj(domain: SimulatedDomain, atUs: number): bigint {
    const rate = this.#rateIn(domain);
    if (rate === 0) return 0n;
    return BigInt(rate) * BigInt(domain.kind === 'gpu' ? this.#gpuUnitsAt(atUs) : this.#unitsAt(atUs));
  }

  /** Its current power in a domain: nanojoules per microsecond. */
  slopeIn(domain: SimulatedDomain): number {
    return this.#rateIn(domain) * (domain.kind === 'gpu' ? this.#gpuPercent : this.#percent);
  }

  #rateIn({ kind, place }: SimulatedDomain): number {
    const { rates, socket, gpu } = this.identity;
    if (kind === 'psys') return rates.package + rates.dram;
    return place === (kind === 'gpu' ? gpu : socket) ? rates[kind satisfies Exclude<DomainKind, 'psys'>] : 0;
  }

  #unitsAt(us: number): number {
    return this.#units + this.#percent * (us - this.#sinceUs);
  }

  #gpuUnitsAt(us: number): number {
    return this.#gpuUnits + this.#gpuPercent * (us - this.#sinceUs);
  }
}

/**
 * The identity of a simulated process, as a receiver reads it from a simulated tree.
 * @param bornNs Unix time in nanoseconds of its start
 */
export function describeSimulatedProcess(process: SimulatedProcess, bornNs: bigint): Attributes {
  const { pid, program } = process.identity;
  const isKernelThread = program.isKernelThread === true;
  return describeProcess({
    pid,
    bornNs,
    parentPid: parentOf(process),
    name: isKernelThread ? program.name : nameExecutable(program.path),
    path: isKernelThread ? undefined : program.path,
    // TASK_COMM_LEN.
    threadName: isKernelThread ? undefined : program.name.slice(0, 15),
    owner: program.cgroup.startsWith('/user.slice') ? 'user' : 'root',
    cgroup: `0::${program.cgroup}`,
    isKernelThread,
  });
}

/** The parent of a process: kthreadd for kernel threads, init for others. */
export function parentOf({ identity: { pid, program } }: SimulatedProcess): number {
  if (pid <= 2) return 0;
  return program.isKernelThread === true ? 2 : 1;
}
