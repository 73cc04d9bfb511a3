import { existsSync, readdirSync } from 'node:fs';
import { UnavailableError } from '../../src/component/errors.js';
import { KeptFile } from '../../src/linux/kept-file.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { checkHertz, parseCpuinfo } from './cpuinfo.js';
import type { Group, GroupContext } from './group.js';

const frequency: Metric = {
  name: 'system.cpu.frequency',
  unit: 'Hz',
  description: 'Frequency at which a logical CPU runs, as far as the kernel knows',
  kind: 'gauge',
  valueType: 'int',
};

export const frequencyMetrics = [frequency];

/** What cpufreq says of each CPU, or `/proc/cpuinfo` where there is no cpufreq, as in most virtual machines. */
export class FrequencyGroup implements Group {
  readonly #context: GroupContext;
  readonly #online: KeptFile;
  readonly #cpuinfo: KeptFile;
  readonly #files = new Map<number, KeptFile>();
  #onlineCpus = '';
  #series = new Map<number, Series>();
  #columns: readonly Series[] = [];

  constructor(context: GroupContext) {
    this.#context = context;
    this.#online = new KeptFile(`${context.config.sysfs}/devices/system/cpu/online`);
    this.#cpuinfo = new KeptFile(`${context.config.procfs}/cpuinfo`);
  }

  read(): Table[] {
    const at = this.#context.clock.wallNs();
    this.#followHotplug();
    const frequencies = this.#files.size > 0 ? this.#readCpufreq() : parseCpuinfo(this.#cpuinfo.read());
    if (frequencies.size === 0) throw new UnavailableError('Cannot read the frequency of any CPU');
    const ended = this.#followCpus([...frequencies.keys()], at);
    const row = createRow(this.#columns, at, Float64Array.from(frequencies.values()));
    return [ended.length > 0 ? { ...row, ended } : row];
  }

  restart(at: bigint): Table[] {
    const ended = this.#columns;
    this.#series.clear();
    this.#columns = [];
    return [createEnding(ended, at)];
  }

  close(): void {
    this.#online.close();
    this.#cpuinfo.close();
    for (const file of this.#files.values()) file.close();
  }

  #readCpufreq(): Map<number, number> {
    return new Map([...this.#files].map(([cpu, file]) => [cpu, readHertz(file)]));
  }

  #followHotplug(): void {
    const online = this.#online.read().toString('latin1');
    if (online === this.#onlineCpus) return;
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
    this.#onlineCpus = online;
    for (const [cpu, path] of findCpufreqFiles(`${this.#context.config.sysfs}/devices/system/cpu`)) {
      this.#files.set(cpu, new KeptFile(path));
    }
  }

  /** Makes the columns those of these CPUs. @returns the series of CPUs that are gone */
  #followCpus(cpus: readonly number[], start: bigint): readonly Series[] {
    if (cpus.length === this.#series.size && cpus.every((cpu) => this.#series.has(cpu))) return [];
    const before = this.#series;
    this.#series = new Map(cpus.map((cpu) => [cpu, before.get(cpu) ?? this.#createSeries(cpu, start)]));
    this.#columns = [...this.#series.values()];
    return [...before].filter(([cpu]) => !this.#series.has(cpu)).map(([, series]) => series);
  }

  #createSeries(cpu: number, start: bigint): Series {
    const attributes = { 'cpu.logical_number': cpu };
    return { metric: frequency, resource: this.#context.host, attributes, start };
  }
}

function findCpufreqFiles(folder: string): [number, string][] {
  return readdirSync(folder)
    .flatMap((name) => /^cpu(\d+)$/u.exec(name)?.[1] ?? [])
    .map((cpu): [number, string] => [Number(cpu), `${folder}/cpu${cpu}/cpufreq/scaling_cur_freq`])
    .filter(([, path]) => existsSync(path))
    .toSorted(([a], [b]) => a - b);
}

/** @returns NaN when the driver does not know, or the CPU has just gone offline */
function readHertz(file: KeptFile): number {
  try {
    // Some drivers say "<unknown>", others 0.
    return checkHertz(1000 * Number(file.read().toString('latin1')));
  } catch {
    return NaN;
  }
}
