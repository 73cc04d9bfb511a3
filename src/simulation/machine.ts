import { elementAt } from '../element.js';
import { EnergyCurves } from './energy-curves.js';
import { isActive, type Fault } from './fault.js';
import { createDomains, type MachineSpec, type SimulatedDomain } from './machine-spec.js';
import { Population } from './population.js';
import { SimulatedCpus, type CpuTruth } from './simulated-cpus.js';
import type { SimulatedProcess } from './simulated-process.js';
import { Timeline } from './timeline.js';

// How often processes change their demand.
const phaseUs = 100_000;
// Slow meters refresh every 5 s.
const minKeptUs = 30_000_000;
const minForgotten = 64;

/** Usage of the processes of a cgroup, including ended ones, without descendant cgroups. */
export interface CgroupTruth {
  readonly path: string;
  readonly cpuNs: bigint;
  /** By domain, in the order of `Machine.domains`, beyond idle energy. */
  readonly energyNj: readonly bigint[];
}

/** The work of all processes on one socket, including ended ones. */
export interface WorkTruth {
  readonly cycles: number;
  readonly bytes: number;
}

interface Past {
  cpuNs: bigint;
  readonly energyNj: bigint[];
}

/**
 * A machine whose true state depends on simulated time only: machines with the same specification are identical
 * at the same instant, independent of the number and order of calls. Exact, in integers: energy in nanojoules,
 * CPU time in nanoseconds, both as BigInt, at every whole microsecond of time.
 *
 * Call `advance` first: processes and CPUs are then those of that instant. The energy of domains can be read
 * for any instant: the last 30 seconds and two refreshes are kept, an earlier instant requires a simulation
 * from 0.
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
  /** Of ended processes, by socket. */
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

  /**
   * Moves to an instant of simulated time, in whole microseconds: forward, or backward by a restart of the
   * simulation.
   */
  advance(us: number): void {
    const atUs = this.timeline.awakeAt(us);
    if (atUs < this.#segmentUs) this.#restart();
    this.#simulate(atUs);
    this.#atUs = atUs;
  }

  /** The live processes, and those that ended within the time that the machine remembers. */
  get processes(): readonly SimulatedProcess[] {
    const sinceUs = this.#atUs - this.spec.rememberUs;
    return [...this.#ended.filter(({ identity }) => identity.diesUs > sinceUs), ...this.#live];
  }

  get liveProcesses(): readonly SimulatedProcess[] {
    return this.#live;
  }

  /** How many processes were started. */
  get births(): number {
    return this.#population.births;
  }

  cpuNsOf(process: SimulatedProcess): bigint {
    return process.cpuNs(this.#atUs);
  }

  /** @param domain its index in `domains` */
  energyNjOf(process: SimulatedProcess, domain: number): bigint {
    return process.energyNj(elementAt(this.domains, domain), this.#atUs);
  }

  cyclesOf(process: SimulatedProcess): number {
    return process.cycles(this.#atUs);
  }

  bytesOf(process: SimulatedProcess): number {
    return process.bytes(this.#atUs);
  }

  /** Cycles and memory traffic of all processes on a socket, including ended ones. */
  workOf(socket: number): WorkTruth {
    let { cycles, bytes } = this.#pastWork.get(socket) ?? { cycles: 0, bytes: 0 };
    for (const process of this.#live) {
      if (process.identity.socket !== socket) continue;
      cycles += this.cyclesOf(process);
      bytes += this.bytesOf(process);
    }
    return { cycles, bytes };
  }

  /** CPU time of the whole machine that was not idle: the sum over all processes, including ended ones. */
  get busyNs(): bigint {
    return this.cpus().reduce((sum, { busyNs }) => sum + busyNs, 0n);
  }

  cpus(): readonly CpuTruth[] {
    return this.#cpus.truthAt(this.#atUs);
  }

  /** Every cgroup that has had a process. */
  cgroups(): readonly CgroupTruth[] {
    const sums = new Map([...this.#past].map(([path, past]) => [path, copyPast(past)]));
    for (const process of this.#live) this.#add(sums, process, this.#atUs);
    return [...sums].map(([path, { cpuNs, energyNj }]) => ({ path, cpuNs, energyNj }));
  }

  /**
   * The energy of a domain until an instant of simulated time, including idle energy. A later instant advances
   * the machine.
   */
  energyNj(domain: number, us: number): bigint {
    const atUs = this.timeline.awakeAt(us);
    if (atUs > this.#atUs) this.advance(us);
    return this.#curves.findNj(domain, atUs) ?? createMachine(this.spec).energyNj(domain, us);
  }

  /** The idle energy of a domain until an instant. */
  idleNj(domain: number, us: number): bigint {
    return BigInt(this.timeline.awakeAt(us)) * BigInt(elementAt(this.domains, domain).floorMilliwatts);
  }

  /** The same for the machine's current instant. */
  idleNjNow(domain: number): bigint {
    return BigInt(this.#atUs) * BigInt(elementAt(this.domains, domain).floorMilliwatts);
  }

  #simulate(untilUs: number): void {
    while (this.#nextUs <= untilUs) this.#step();
  }

  /** Handles the next event, after which every process has a new share. */
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

  /**
   * Searches ended processes only after their number has doubled, so that a long memory costs no more than a
   * short one.
   */
  #forget(us: number): void {
    // A caller may still ask for the instant at which the previous one was remembered.
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

  /** If demand exceeds the CPUs of the socket, all processes get the same fraction of their demand. */
  #shareOut(socket: number, us: number): void {
    const here = this.#live.filter(({ identity }) => identity.socket === socket);
    const wanted = here.reduce((sum, { wantedPercent }) => sum + wantedPercent, 0);
    const capacity = this.#cpus.capacityOf(socket);
    let [asked, given] = [0, 0];
    for (const process of here) {
      asked += process.wantedPercent;
      // Rounded as running sums: otherwise none of a thousand processes would get a whole percent.
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

/** Creates a machine at instant 0. */
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
