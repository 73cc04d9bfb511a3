import { parseKilohertz } from '../../src/linux/cpufreq.js';
import { findText } from '../../src/linux/sysfs.js';
import { ATTR_HW_LIMIT_TYPE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import {
  createAbsence,
  FileGauges,
  parseWhole,
  readLine,
  type GaugeFile,
} from '../../src/scraping/file-gauges.js';
import type { GaugeColumn } from '../../src/scraping/gauge-table.js';
import { bounded } from '../../src/scraping/lines.js';
import type { NamedSource } from '../../src/scraping/scraping-receiver.js';
import type { DescribeSource, Steps } from '../../src/scraping/source.js';
import type { Config } from './config.js';
import { boost, policies as policyCount, speed, speedLimit } from './metrics.js';
import { Policies, type Policy } from './policies.js';
import { describeStatistics } from './statistics.js';

/** The sources of cpufreq. Not every machine has all of them. */
export function listSources(config: Config): readonly NamedSource[] {
  const sources = [
    { name: 'frequencies', describe: describeFrequencies(config) },
    { name: 'governors', describe: describeGovernors(config) },
    { name: 'boost', describe: describeBoost(config) },
  ];
  if (!config.time_in_state) return sources;
  return [...sources, { name: 'time in state', describe: describeStatistics(config) }];
}

/** The files of a policy, and their `hw.limit_type`. */
const limitFiles: Readonly<Record<string, string>> = {
  cpuinfo_min_freq: 'min',
  cpuinfo_max_freq: 'max',
  base_frequency: 'base',
  bios_limit: 'firmware',
  scaling_min_freq: 'policy.min',
  scaling_max_freq: 'policy.max',
};

function describeFrequencies(config: Config): DescribeSource {
  return (source) => {
    const policies = new Policies(config);
    const gauges = new FileGauges(source, {
      name: policies.name,
      version: () => policies.follow(),
      list: () => policies.shown.flatMap((policy) => listGauges(policy, config)),
    });
    return function* (at) {
      return [yield* gauges.read(at)];
    };
  };
}

function listGauges({ folder, attributes }: Policy, { limits }: Config): readonly GaugeFile[] {
  const current = describeFile(`${folder}/scaling_cur_freq`, speed, attributes);
  if (!limits) return [current];
  const found = Object.entries(limitFiles).filter(([file]) => findText(`${folder}/${file}`) !== undefined);
  return [
    current,
    ...found.map(([file, type]) =>
      describeFile(`${folder}/${file}`, speedLimit, { ...attributes, [ATTR_HW_LIMIT_TYPE]: type }),
    ),
  ];
}

function describeFile(path: string, metric: Metric, attributes: Attributes): GaugeFile {
  return { metric, attributes, path, parse: (text) => parseKilohertz(path, text) };
}

/** Number of policies by driver and governor: one series if all are alike, as usual. */
function describeGovernors(config: Config): DescribeSource {
  return (source) => {
    const policies = new Policies(config);
    const gauges = source.gauges();
    const columns = new Map<string, GaugeColumn>();
    let shown = '';
    return function* (at) {
      policies.follow();
      const counts = yield* countGovernors(policies.all);
      if (counts.size === 0 && columns.size === 0) throw createAbsence(policies.name);
      for (const key of counts.keys()) if (!columns.has(key)) columns.set(key, createGovernor(key));
      const keys = [...counts.keys()];
      if (keys.join() !== shown) gauges.choose(keys.flatMap((key) => columns.get(key) ?? []));
      shown = keys.join();
      return [gauges.row(at, [...counts.values()])];
    };
  };
}

/** Number of policies by driver and governor, in alphabetical order. The kernel has one driver for all policies. */
function* countGovernors(policies: readonly Policy[]): Steps<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const driver = findText(`${policies[0]?.folder}/scaling_driver`) ?? 'unknown';
  for (const { folder } of policies) {
    const governor = findText(`${folder}/scaling_governor`);
    const key = `${driver}\n${governor ?? ''}`;
    if (governor !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    yield;
  }
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function createGovernor(key: string): GaugeColumn {
  const [driver = '', governor = ''] = key.split('\n');
  return {
    metric: policyCount,
    attributes: { 'system.linux.cpufreq.driver': driver, 'system.linux.cpufreq.governor': governor },
  };
}

/** Whether boost is allowed: acpi-cpufreq, amd-pstate and others have a switch for it, intel_pstate the inverse. */
function describeBoost({ sysfs }: Config): DescribeSource {
  const cpu = `${sysfs}/devices/system/cpu`;
  return (source) => {
    const allowed = source.file(`${cpu}/cpufreq/boost`);
    const forbidden = source.file(`${cpu}/intel_pstate/no_turbo`);
    const isReverse = findText(forbidden.path) !== undefined;
    const file = isReverse ? forbidden : allowed;
    const gauges = source.gauges([{ metric: boost, attributes: {} }]);
    return (at) => {
      const value = bounded(parseWhole(file.path, readLine(file)), 1);
      return [gauges.row(at, [isReverse ? 1 - value : value])];
    };
  };
}
