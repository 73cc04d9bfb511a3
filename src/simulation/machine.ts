import { elementAt } from '../element.js';
import { EnergyCurves } from './energy-curves.js';
import { isActive, type Fault } from './fault.js';
import { createDomains, type MachineSpec, type SimulatedDomain } from './machine-spec.js';
import { Population } from './population.js';
import { SimulatedCpus, type CpuTruth } from './simulated-cpus.js';
import type { SimulatedProcess } from './simulated-process.js';
import { Timeline } from './timeline.js';

// Processes change what they want so often.
const phaseUs = 100_000;
// Slow meters refresh every 5 s.
const minKeptUs = 30_000_000;
const minForgotten = 64;

/** What the processes of a cgroup, those that ended among them, used. Without the cgroups below it. */
export interface CgroupTruth {
  readonly path: string;
  readonly cpuNs: bigint;
  /** By domain, in the order of `Machine.domains`, beyond what the domain draws when idle. */
  readonly energyNj: readonly bigint[];
}

/** What all processes did on one socket, those that ended among them. */
export interface WorkTruth {
  readonly cycles: number;
  readonly bytes: number;
}

interface Past {
  cpuNs: bigint;
  readonly energyNj: bigint[];
}

/**
 * A machine whose truth is a function of simulated time alone: machines with the same specification have the same
 * at the same instant, however often and in whatever order they are asked. Exact, in integers: energy in
 * nanojoules, CPU time in nanoseconds, both as BigInt, at every whole microsecond of time.
 *
 * `advance` first, then ask: processes and CPUs are those of that instant. The energy of domains may be asked for
 * any instant: one of the last 30 seconds and two refreshes is known, an earlier one takes a simulation from 0.
 */
export class Machine {
  readonly spec: MachineSpec;
  readonly domains: readonly SimulatedDomain[];
  readonly timeline: Timeline;
  readonly #offline: readonly Fault[];
  readonly #keptUs: number;
  #population: Population;
  #cpus: SimulatedCpus;
  #curves: EnergyCurves;
  #live: SimulatedProcess[] = [];
  #ended: SimulatedProcess[] = [];
  #forgetAt = minForgotten;
  #past = new Map<string, Past>();
  /** Of those that ended, by socket. */
  #pastWork = new Map<number, WorkTruth>();
  #segmentUs = 0;
  #nextUs = 0;
  #atUs = 0;

  constructor(spec: MachineSpec) {
    this.spec = spec;
    this.domains = createDomains(spec);
    this.timeline = new Timeline(spec.faults);
    this.#keptUs = minKeptUs + 2 * spec.refreshUs;
    this.#offline = spec.faults
      .filter(({ kind }) => kind === 'offline')
      .map((fault) => awake(fault, this.timeline));
    this.#population = new Population(spec);
    this.#cpus = new SimulatedCpus(spec);
    this.#curves = new EnergyCurves(this.domains, this.#keptUs);
    this.#begin();
  }

  /** Goes to an instant of simulated time, in whole microseconds: forward, or back by starting again. */
  advance(us: number): void {
    const atUs = this.timeline.awakeAt(us);
    if (atUs < this.#segmentUs) this.#restart();
    this.#simulate(atUs);
    this.#atUs = atUs;
  }

  /** The processes that live, and those that ended within the time that the machine remembers. */
  get processes(): readonly SimulatedProcess[] {
    const sinceUs = this.#atUs - this.spec.rememberUs;
    return [...this.#ended.filter(({ identity }) => identity.diesUs > sinceUs), ...this.#live];
  }

  get liveProcesses(): readonly SimulatedProcess[] {
    return this.#live;
  }

  /** How many processes were born. */
  get births(): number {
    return this.#population.births;
  }

  cpuNsOf(process: SimulatedProcess): bigint {
    return process.cpuNs(this.#atUs);
  }

  /** @param domain its place in `domains` */
  energyNjOf(process: SimulatedProcess, domain: number): bigint {
    return process.energyNj(elementAt(this.domains, domain), this.#atUs);
  }

  cyclesOf(process: SimulatedProcess): number {
    return process.cycles(this.#atUs);
  }

  bytesOf(process: SimulatedProcess): number {
    return process.bytes(this.#atUs);
  }

  /** Cycles and bytes of memory traffic of all processes that ever were on a socket. */
  workOf(socket: number): WorkTruth {
    let { cycles, bytes } = this.#pastWork.get(socket) ?? { cycles: 0, bytes: 0 };
    for (const process of this.#live) {
      if (process.identity.socket !== socket) continue;
      cycles += this.cyclesOf(process);
      bytes += this.bytesOf(process);
    }
    return { cycles, bytes };
  }

  /** CPU time of the whole machine that was not idle: the sum over all processes that ever were. */
  get busyNs(): bigint {
    return this.cpus().reduce((sum, { busyNs }) => sum + busyNs, 0n);
  }

  cpus(): readonly CpuTruth[] {
    return this.#cpus.truthAt(this.#atUs);
  }

  /** Every cgroup that ever had a process. */
  cgroups(): readonly CgroupTruth[] {
    const sums = new Map([...this.#past].map(([path, past]) => [path, copyPast(past)]));
    for (const process of this.#live) this.#add(sums, process, this.#atUs);
    return [...sums].map(([path, { cpuNs, energyNj }]) => ({ path, cpuNs, energyNj }));
  }

  /**
   * What a domain used until an instant of simulated time: idle energy and that of all processes. A later instant
   * than the machine's own takes the machine there.
   */
  energyNj(domain: number, us: number): bigint {
    const atUs = this.timeline.awakeAt(us);
    if (atUs > this.#atUs) this.advance(us);
    return this.#curves.findNj(domain, atUs) ?? createMachine(this.spec).energyNj(domain, us);
  }

  /** What a domain used until an instant only because it is on. */
  idleNj(domain: number, us: number): bigint {
    return BigInt(this.timeline.awakeAt(us)) * BigInt(elementAt(this.domains, domain).floorMilliwatts);
  }

  /** The same for the machine's own instant. */
  idleNjNow(domain: number): bigint {
    return BigInt(this.#atUs) * BigInt(elementAt(this.domains, domain).floorMilliwatts);
  }

  #simulate(untilUs: number): void {
    while (this.#nextUs <= untilUs) this.#step();
  }

  /** Does what happens next, from which on every process has a new share. */
  #step(): void {
    const us = this.#nextUs;
    this.#segmentUs = us;
    this.#cpus.settle(us);
    this.#bury(us);
    while (this.#population.nextUs === us) this.#welcome(this.#population.createNext(), us);
    if (us % phaseUs === 0) this.#updateDemand(us);
    this.#cpus.takeOffline(this.#offlineAt(us));
    for (let socket = 0; socket < this.spec.sockets; socket++) this.#shareOut(socket, us);
    this.#curves.add(us, this.#live);
    this.#nextUs = this.#findNext(us);
  }

  #begin(): void {
    for (const process of this.#population.createServices()) this.#welcome(process, 0);
    this.#nextUs = 0;
    this.#step();
  }

  #restart(): void {
    this.#population = new Population(this.spec);
    this.#cpus = new SimulatedCpus(this.spec);
    this.#curves = new EnergyCurves(this.domains, this.#keptUs);
    this.#live = [];
    this.#ended = [];
    this.#forgetAt = minForgotten;
    this.#past = new Map();
    this.#pastWork = new Map();
    this.#begin();
  }

  #welcome(process: SimulatedProcess, us: number): void {
    process.wantedPercent = this.#population.wantedPercent(process, us);
    this.#live.push(process);
  }

  #bury(us: number): void {
    const dead = this.#live.filter(({ identity }) => identity.diesUs <= us);
    if (dead.length === 0) return;
    this.#live = this.#live.filter((process) => !dead.includes(process));
    for (const process of dead) {
      process.share(us, 0, 0);
      this.#add(this.#past, process, us);
      const { socket } = process.identity;
      const { cycles, bytes } = this.#pastWork.get(socket) ?? { cycles: 0, bytes: 0 };
      this.#pastWork.set(socket, { cycles: cycles + process.cycles(us), bytes: bytes + process.bytes(us) });
    }
    this.#ended.push(...dead);
    if (this.#ended.length >= this.#forgetAt) this.#forget(us);
  }

  /** Looks through the dead only after as many more died, so that a long memory costs no more than a short one. */
  #forget(us: number): void {
    // A caller may still ask for the instant at which the one before was remembered.
    const sinceUs = us - 2 * this.spec.rememberUs;
    this.#ended = this.#ended.filter(({ identity }) => identity.diesUs > sinceUs);
    this.#forgetAt = Math.max(minForgotten, 2 * this.#ended.length);
  }

  #add(sums: Map<string, Past>, process: SimulatedProcess, us: number): void {
    const { cgroup } = process.identity.program;
    const past = sums.get(cgroup) ?? { cpuNs: 0n, energyNj: this.domains.map(() => 0n) };
    const energyNj = this.domains.map(
      (domain, i) => elementAt(past.energyNj, i) + process.energyNj(domain, us),
    );
    sums.set(cgroup, { cpuNs: past.cpuNs + process.cpuNs(us), energyNj });
  }

  #updateDemand(us: number): void {
    for (const process of this.#live) process.wantedPercent = this.#population.wantedPercent(process, us);
  }

  #offlineAt(us: number): ReadonlySet<number> {
    return new Set(this.#offline.filter((fault) => isActive(fault, us)).map(({ cpu = 1 }) => cpu));
  }

  /** Where more is wanted than the CPUs of the socket can give, all get the same part of it. */
  #shareOut(socket: number, us: number): void {
    const here = this.#live.filter(({ identity }) => identity.socket === socket);
    const wanted = here.reduce((sum, { wantedPercent }) => sum + wantedPercent, 0);
    const capacity = this.#cpus.capacityOf(socket);
    let [asked, given] = [0, 0];
    for (const process of here) {
      asked += process.wantedPercent;
      // Rounded as sums: of a thousand processes, none would get a whole percent.
      const upTo = wanted > capacity ? Math.floor((asked * capacity) / wanted) : asked;
      const percent = upTo - given;
      given = upTo;
      process.share(us, percent, process.identity.gpu === undefined ? 0 : Math.min(100, percent));
    }
    this.#cpus.load(socket, given);
  }

  #findNext(us: number): number {
    const edges = this.#offline.flatMap(({ atUs, forUs }) => [atUs, atUs + forUs]);
    const deaths = this.#live.map(({ identity }) => identity.diesUs);
    const phase = (Math.floor(us / phaseUs) + 1) * phaseUs;
    return Math.min(phase, this.#population.nextUs, ...deaths, ...edges.filter((edge) => edge > us));
  }
}

/** Makes a machine that stands at instant 0. */
export function createMachine(spec: MachineSpec): Machine {
  return new Machine(spec);
}

function awake(fault: Fault, timeline: Timeline): Fault {
  const atUs = timeline.awakeAt(fault.atUs);
  return { ...fault, atUs, forUs: timeline.awakeAt(fault.atUs + fault.forUs) - atUs };
}

function copyPast({ cpuNs, energyNj }: Past): Past {
  return { cpuNs, energyNj: [...energyNj] };
}
