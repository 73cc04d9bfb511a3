import type { MachineSpec } from './machine-spec.js';

/** One logical CPU and its busy time. */
export interface CpuTruth {
  readonly number: number;
  readonly socket: number;
  readonly isOnline: boolean;
  /** Its current utilization, in percent. */
  readonly percent: number;
  readonly busyNs: bigint;
  /** How long it was online. */
  readonly onlineNs: bigint;
}

interface Cpu {
  readonly number: number;
  readonly socket: number;
  isOnline: boolean;
  percent: number;
  units: number;
  onlineUs: number;
}

/** The logical CPUs: the work of a socket is divided evenly among its online CPUs. */
export class SimulatedCpus {
  readonly #cpus: readonly Cpu[];
  #sinceUs = 0;

  constructor({ sockets, cpusPerSocket }: MachineSpec) {
    this.#cpus = Array.from({ length: sockets * cpusPerSocket }, (_, number) => ({
      number,
      socket: Math.floor(number / cpusPerSocket),
      isOnline: true,
      percent: 0,
      units: 0,
      onlineUs: 0,
    }));
  }

  /** Advances to an instant with the previous shares. */
  settle(atUs: number): void {
    const us = atUs - this.#sinceUs;
    for (const cpu of this.#cpus) {
      cpu.units += cpu.percent * us;
      if (cpu.isOnline) cpu.onlineUs += us;
    }
    this.#sinceUs = atUs;
  }

  /** Sets which CPUs are offline from now on. */
  takeOffline(numbers: ReadonlySet<number>): void {
    for (const cpu of this.#cpus) cpu.isOnline = !numbers.has(cpu.number);
  }

  /** The capacity of a socket's CPUs, in percent of one. */
  capacityOf(socket: number): number {
    return 100 * this.#onlineIn(socket).length;
  }

  /** Sets the load of a socket from now on. */
  load(socket: number, percent: number): void {
    for (const cpu of this.#cpus) if (cpu.socket === socket) cpu.percent = 0;
    const online = this.#onlineIn(socket);
    let left = percent;
    for (const [i, cpu] of online.entries()) {
      cpu.percent = Math.ceil(left / (online.length - i));
      left -= cpu.percent;
    }
  }

  truthAt(us: number): CpuTruth[] {
    const sinceUs = us - this.#sinceUs;
    return this.#cpus.map(({ number, socket, isOnline, percent, units, onlineUs }) => ({
      number,
      socket,
      isOnline,
      percent,
      busyNs: BigInt(units + percent * sinceUs) * 10n,
      onlineNs: BigInt(onlineUs + (isOnline ? sinceUs : 0)) * 1000n,
    }));
  }

  #onlineIn(socket: number): Cpu[] {
    return this.#cpus.filter((cpu) => cpu.socket === socket && cpu.isOnline);
  }
}
