import { nameExecutable } from '../identity/executable.js';
import { describeProcess } from '../identity/process-attributes.js';
import type { Attributes } from '../model/series.js';
import type { DomainKind, SimulatedDomain } from './machine-spec.js';

/** What a program costs, in tenths of a joule per second of CPU or GPU time. */
export interface Rates {
  readonly package: number;
  readonly core: number;
  readonly uncore: number;
  readonly dram: number;
  readonly gpu: number;
  /** Cycles and bytes of memory traffic in 10 ns of CPU time. */
  readonly cycles: number;
  readonly bytes: number;
}

/** A kind of process. */
export interface Program {
  readonly name: string;
  /** The path of its cgroup, version 2. */
  readonly cgroup: string;
  readonly path: string;
  /** Most that it uses, in percent of a CPU: more than 100 with several threads. */
  readonly maxPercent: number;
  readonly threads: number;
  /** Share of its CPU time that the kernel works for it, in percent. */
  readonly systemPercent: number;
  readonly usesGpu?: boolean;
  readonly isKernelThread?: boolean;
  readonly residentMib: number;
}

/** Who a process is. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly program: Program;
  readonly rates: Rates;
  /** The socket whose CPUs it runs on. */
  readonly socket: number;
  /** The GPU that it uses; undefined: none. */
  readonly gpu: number | undefined;
  /** Time awake at which it is born, in microseconds. */
  readonly bornUs: number;
  /** Time awake at which it dies: Infinity for one that does not. */
  readonly diesUs: number;
}

// CPU time is counted in percent of a CPU times microseconds, which is 10 ns; with rates in tenths of a joule per
// second, each of these units costs a whole number of nanojoules. So everything is exact, at every microsecond.
const nsPerUnit = 10n;

/** A process and what it used so far. */
export class SimulatedProcess {
  readonly identity: ProcessIdentity;
  /** What it wants now, in percent of a CPU; gets what there is. */
  wantedPercent = 0;
  #percent = 0;
  #gpuPercent = 0;
  #units = 0;
  #gpuUnits = 0;
  /** Time awake since when it uses these shares. */
  #sinceUs: number;

  constructor(identity: ProcessIdentity) {
    this.identity = identity;
    this.#sinceUs = identity.bornUs;
  }

  /** What it uses now, in percent of a CPU. */
  get percent(): number {
    return this.#percent;
  }

  /** From this instant on it has these shares of a CPU and of its GPU. */
  share(atUs: number, percent: number, gpuPercent: number): void {
    this.#units += this.#percent * (atUs - this.#sinceUs);
    this.#gpuUnits += this.#gpuPercent * (atUs - this.#sinceUs);
    this.#sinceUs = atUs;
    this.#percent = percent;
    this.#gpuPercent = gpuPercent;
  }

  /** CPU time that it had used by an instant, not before its shares last changed: nanoseconds. */
  cpuNs(atUs: number): bigint {
    return BigInt(this.#unitsAt(atUs)) * nsPerUnit;
  }

  /** Cycles that it had run for by an instant. */
  cycles(atUs: number): number {
    return Math.round(this.#unitsAt(atUs) * this.identity.rates.cycles);
  }

  /** Bytes that it had moved from and to the memory of its socket by an instant. */
  bytes(atUs: number): number {
    return Math.round(this.#unitsAt(atUs) * this.identity.rates.bytes);
  }

  /** What it had cost in a domain by that instant, beyond what the domain draws when idle: nanojoules. */
  energyNj(domain: SimulatedDomain, atUs: number): bigint {
    const rate = this.#rateIn(domain);
    if (rate === 0) return 0n;
    return BigInt(rate) * BigInt(domain.kind === 'gpu' ? this.#gpuUnitsAt(atUs) : this.#unitsAt(atUs));
  }

  /** What it costs in a domain now: nanojoules per microsecond. */
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
 * Who a simulated process is, as a receiver reads it from a simulated tree.
 * @param bornNs Unix time in nanoseconds of its birth
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

/** The parent of a process: what the kernel starts, and what starts all others. */
export function parentOf({ identity: { pid, program } }: SimulatedProcess): number {
  if (pid <= 2) return 0;
  return program.isKernelThread === true ? 2 : 1;
}
