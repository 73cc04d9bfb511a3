import type { MachineSpec } from './machine-spec.js';

/** One logical CPU and how long it was busy. */
export interface CpuTruth {
  readonly number: number;
  readonly socket: number;
  readonly isOnline: boolean;
  /** How busy it is now, in percent. */
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

/** The logical CPUs: the work of a socket is shared out evenly to those of it that are online. */
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

  /** Lets time go by until an instant with the shares of before. */
  settle(atUs: number): void {
    const us = atUs - this.#sinceUs;
    for (const cpu of this.#cpus) {
      cpu.units += cpu.percent * us;
      if (cpu.isOnline) cpu.onlineUs += us;
    }
    this.#sinceUs = atUs;
  }

  /** CPUs that are to be offline from now on. */
  takeOffline(numbers: ReadonlySet<number>): void {
    for (const cpu of this.#cpus) cpu.isOnline = !numbers.has(cpu.number);
  }

  /** What the CPUs of a socket can give, in percent of one. */
  capacityOf(socket: number): number {
    return 100 * this.#onlineIn(socket).length;
  }

  /** From now on, a socket gives so much. */
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
