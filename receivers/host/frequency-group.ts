import { existsSync } from 'node:fs';
import { UnavailableError } from '../../src/errors.js';
import { checkHertz, parseKilohertz } from '../../src/linux/cpufreq.js';
import type { KeptFile } from '../../src/linux/kept-file.js';
import { findNames } from '../../src/linux/sysfs.js';
import { ATTR_CPU_LOGICAL_NUMBER } from '../../src/model/semantic-conventions.js';
import type { Table } from '../../src/model/table.js';
import { cpuFrequency } from '../../src/model/usage-metrics.js';
import { readLine } from '../../src/scraping/file-gauges.js';
import type { GaugeColumn, GaugeTable } from '../../src/scraping/gauge-table.js';
import type { DescribeSource, Source } from '../../src/scraping/source.js';
import type { Config } from './config.js';

export const frequencyMetrics = [cpuFrequency];

/**
 * The frequency of each CPU from cpufreq, or from `/proc/cpuinfo` if there is no cpufreq, as in most virtual
 * machines.
 */
export function describeFrequency({ procfs, sysfs }: Config): DescribeSource {
  return (source) => {
    const readCpufreq = createCpufreqReader(source, sysfs);
    const cpuinfo = source.file(`${procfs}/cpuinfo`);
    const gauges = new CpuGauges(source.gauges());
    return (at) => {
      const cpufreq = readCpufreq();
      const frequencies = cpufreq.size > 0 ? cpufreq : parseCpuinfo(cpuinfo.read());
      if (frequencies.size === 0)
        throw new UnavailableError(
          'Cannot read the frequency of CPUs: expected that of at least one, found none',
        );
      return [gauges.row(at, frequencies)];
    };
  };
}

/** One gauge per CPU that is online. */
class CpuGauges {
  readonly #gauges: GaugeTable;
  #columns = new Map<number, GaugeColumn>();

  constructor(gauges: GaugeTable) {
    this.#gauges = gauges;
  }

  row(at: bigint, frequencies: ReadonlyMap<number, number>): Table {
    const cpus = [...frequencies.keys()];
    if (cpus.length !== this.#columns.size || !cpus.every((cpu) => this.#columns.has(cpu))) {
      const before = this.#columns;
      this.#columns = new Map(cpus.map((cpu) => [cpu, before.get(cpu) ?? createColumn(cpu)]));
      this.#gauges.choose([...this.#columns.values()]);
    }
    return this.#gauges.row(at, [...frequencies.values()]);
  }
}

function createColumn(cpu: number): GaugeColumn {
  return { metric: cpuFrequency, attributes: { [ATTR_CPU_LOGICAL_NUMBER]: cpu } };
}

/** @returns a function that reads the frequency in hertz of every online CPU; of none, without cpufreq */
function createCpufreqReader(source: Source, sysfs: string): () => ReadonlyMap<number, number> {
  const folder = `${sysfs}/devices/system/cpu`;
  const online = source.file(`${folder}/online`);
  const files = new Map<number, KeptFile>();
  let seen: string | undefined;
  const followHotplug = (): void => {
    const now = readOnline(online);
    if (now === seen) return;
    seen = now;
    const found = new Map(findCpufreqFiles(folder));
    for (const [cpu, { path }] of files) if (!found.has(cpu)) source.forget(path);
    files.clear();
    for (const [cpu, path] of found) files.set(cpu, source.file(path));
  };
  return () => {
    followHotplug();
    const frequencies = new Map<number, number>();
    source.readParts(
      [...files].map(([cpu, file]) => () => {
        frequencies.set(cpu, NaN);
        frequencies.set(cpu, parseKilohertz(file.path, readLine(file)));
      }),
    );
    return frequencies;
  };
}

/** The online CPUs in the kernel's format; empty when they cannot be read, which hides no frequency. */
function readOnline(file: KeptFile): string {
  try {
    return file.read().toString('latin1');
  } catch {
    return '';
  }
}

function findCpufreqFiles(folder: string): [number, string][] {
  return findNames(folder)
    .flatMap((name) => /^cpu(\d+)$/u.exec(name)?.[1] ?? [])
    .map((cpu): [number, string] => [Number(cpu), `${folder}/cpu${cpu}/cpufreq/scaling_cur_freq`])
    .filter(([, path]) => existsSync(path))
    .toSorted(([a], [b]) => a - b);
}

/**
 * Parses the frequency of each CPU from `/proc/cpuinfo`, in hertz by logical CPU number; NaN if unknown. Only
 * x86 has it there.
 */
function parseCpuinfo(text: Buffer): Map<number, number> {
  const frequencies = new Map<number, number>();
  for (let at = findCpu(text, 0); at >= 0;) {
    const next = findCpu(text, at + 1);
    const mhz = text.indexOf('\ncpu MHz\t\t:', at, 'latin1');
    const isOwn = mhz >= 0 && (next < 0 || mhz < next);
    const cpu = parseValue(text, at);
    if (isOwn && Number.isSafeInteger(cpu) && cpu >= 0) {
      frequencies.set(cpu, checkHertz(Math.round(1e6 * parseValue(text, mhz + 1))));
    }
    at = next;
  }
  return frequencies;
}

/** Start of the next CPU; -1 if there is none. */
function findCpu(text: Buffer, from: number): number {
  return text.indexOf('processor\t:', from, 'latin1');
}

/** The number after the colon of a line; NaN if there is none. */
function parseValue(text: Buffer, line: number): number {
  const end = text.indexOf('\n', line, 'latin1');
  const from = text.indexOf(':', line, 'latin1') + 1;
  const value = text.toString('latin1', from, end < 0 ? text.length : end).trim();
  return value === '' ? NaN : Number(value);
}
