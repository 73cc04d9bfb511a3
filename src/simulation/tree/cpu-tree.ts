import { rmSync } from 'node:fs';
import type { MachineSpec } from '../machine-spec.js';
import type { CpuTruth } from '../simulated-cpus.js';
import { TreeFile, writeFiles } from './tree-file.js';

const root = 'devices/system/cpu';
// An Intel server, Ice Lake.
const modalias = 'cpu:type:x86,ven0000fam0006mod006A:feature:,0000,0001,0002,0003\n';
const maxKilohertz = 3_400_000;
// Minimum frequency with four digits of megahertz, like the maximum: a text of constant length is never seen
// half written.
const minKilohertz = 1_000_000;

/** `0-3,8`, the kernel's format of CPU lists. */
export function describeList(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

/** `/sys/devices/system/cpu`: the CPUs, which of them are online, their topology and frequency. */
export class CpuTree {
  readonly #folder: string;
  readonly #spec: MachineSpec;
  readonly #online: TreeFile;
  readonly #offline: TreeFile;
  readonly #switches = new Map<number, TreeFile>();
  readonly #frequencies = new Map<number, TreeFile>();

  constructor(sys: string, spec: MachineSpec) {
    this.#folder = `${sys}/${root}`;
    this.#spec = spec;
    const count = spec.sockets * spec.cpusPerSocket;
    const all = `${describeList(Array.from({ length: count }, (_, cpu) => cpu))}\n`;
    writeFiles(this.#folder, { possible: all, present: all, modalias, kernel_max: '8191\n' });
    this.#online = new TreeFile(`${this.#folder}/online`);
    this.#offline = new TreeFile(`${this.#folder}/offline`);
  }

  write(cpus: readonly CpuTruth[]): void {
    const numbersOf = (isOnline: boolean) =>
      cpus.filter((cpu) => cpu.isOnline === isOnline).map(({ number }) => number);
    this.#online.write(`${describeList(numbersOf(true))}\n`);
    this.#offline.write(`${describeList(numbersOf(false))}\n`);
    for (const cpu of cpus) this.#writeCpu(cpu);
  }

  close(): void {
    const files = [this.#online, this.#offline, ...this.#switches.values(), ...this.#frequencies.values()];
    for (const file of files) file.close();
  }

  #writeCpu({ number, socket, isOnline, percent }: CpuTruth): void {
    if (isOnline) this.#openFrequency(number, socket).write(`${describeFrequency(percent)}\n`);
    else this.#takeOffline(number);
    // The first CPU cannot go offline and has no switch.
    if (number > 0) this.#openSwitch(number).write(isOnline ? '1\n' : '0\n');
  }

  #openSwitch(cpu: number): TreeFile {
    const known = this.#switches.get(cpu);
    if (known !== undefined) return known;
    const file = new TreeFile(`${this.#folder}/cpu${cpu}/online`);
    this.#switches.set(cpu, file);
    return file;
  }

  #openFrequency(cpu: number, socket: number): TreeFile {
    const known = this.#frequencies.get(cpu);
    if (known !== undefined) return known;
    const folder = `${this.#folder}/cpu${cpu}`;
    writeFiles(`${folder}/topology`, this.#describePlace(cpu, socket));
    writeFiles(`${folder}/cpufreq`, {
      cpuinfo_max_freq: `${maxKilohertz}\n`,
      cpuinfo_min_freq: `${minKilohertz}\n`,
      scaling_driver: 'intel_pstate\n',
      scaling_governor: 'powersave\n',
      scaling_available_governors: 'performance powersave\n',
      scaling_max_freq: `${maxKilohertz}\n`,
      scaling_min_freq: `${minKilohertz}\n`,
      scaling_setspeed: '<unsupported>\n',
      related_cpus: `${cpu}\n`,
      affected_cpus: `${cpu}\n`,
      cpuinfo_transition_latency: '0\n',
    });
    const file = new TreeFile(`${folder}/cpufreq/scaling_cur_freq`);
    this.#frequencies.set(cpu, file);
    return file;
  }

  #describePlace(cpu: number, socket: number): Record<string, string> {
    const { cpusPerSocket } = this.#spec;
    const first = socket * cpusPerSocket;
    return {
      physical_package_id: `${socket}\n`,
      die_id: '0\n',
      core_id: `${cpu - first}\n`,
      core_cpus_list: `${cpu}\n`,
      thread_siblings_list: `${cpu}\n`,
      package_cpus_list: `${first}-${first + cpusPerSocket - 1}\n`,
    };
  }

  /** The kernel removes the files of an offline CPU. */
  #takeOffline(cpu: number): void {
    this.#frequencies.get(cpu)?.close();
    if (!this.#frequencies.delete(cpu)) return;
    for (const name of ['topology', 'cpufreq'])
      rmSync(`${this.#folder}/cpu${cpu}/${name}`, { recursive: true });
  }
}

/** The frequency in kilohertz of a CPU with this utilization: always seven digits. */
export function describeFrequency(percent: number): string {
  const kilohertz = minKilohertz + Math.round(((maxKilohertz - minKilohertz) * percent) / 100);
  return String(kilohertz);
}
