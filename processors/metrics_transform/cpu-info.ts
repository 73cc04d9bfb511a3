import { readFileSync } from 'node:fs';
import type { Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import { createPlans } from '../../src/model/plan.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { createEnding, createRow, timeOf, type Table } from '../../src/model/table.js';
import { busyTime } from '../../src/model/usage-metrics.js';

/** Kepler's description of each CPU; its dashboards use it to find the nodes. */
export const cpuInfo: Metric = {
  name: 'kepler_node_cpu_info',
  unit: '',
  description: 'A logical CPU, as /proc/cpuinfo describes it; always 1',
  kind: 'gauge',
  valueType: 'int',
};

/** Labels, and the keys of /proc/cpuinfo on x86. Other architectures have only some of them. */
const keys: Readonly<Record<string, string>> = {
  processor: 'processor',
  vendor_id: 'vendor_id',
  model_name: 'model name',
  physical_id: 'physical id',
  core_id: 'core id',
};

/** The labels of each CPU in a text in the format of /proc/cpuinfo. */
export function parseCpuInfo(text: string): readonly Attributes[] {
  return text.split('\n\n').flatMap((block) => {
    const values = new Map(
      block.split('\n').map((line) => {
        const [key = '', ...value] = line.split(':');
        return [key.trim(), value.join(':').trim()];
      }),
    );
    const labels = Object.entries(keys).map(([label, key]) => [label, values.get(key) ?? ''] as const);
    return values.has('processor') ? [Object.fromEntries(labels)] : [];
  });
}

/** Adds a series for each CPU of this machine to every reading of the machine's busy time. */
export function addCpuInfo(
  log: Log,
  next: Consumer,
  readText = () => readFileSync('/proc/cpuinfo', 'utf8'),
): Consumer {
  let cpus: readonly Attributes[] | undefined;
  const seriesOf = createPlans((busy: Series): readonly Series[] => {
    cpus ??= readCpus(log, readText);
    const { resource, start } = busy;
    return cpus.map((attributes) => createSeries(attributes, resource, start));
  });
  const infoOf = createPlans((series: readonly Series[]) =>
    series
      .filter(isBusyTime)
      .map(seriesOf)
      .filter((info) => info.length > 0),
  );
  return {
    consume(table) {
      if (!next.consume(table)) return false;
      const rows = table.offsets.length === 0 ? [] : infoOf(table.series);
      const ended = table.ended?.filter(isBusyTime).flatMap(seriesOf) ?? [];
      // A receiver resends a rejected table: the next stage must not get it twice because of these rows.
      for (const info of rows) next.consume(createInfo(table, info));
      if (ended.length > 0) next.consume(createEnding(ended, table.epoch));
      return true;
    },
  };
}

/** None if the file cannot be read: everything else of the preset works without it. */
function readCpus(log: Log, readText: () => string): readonly Attributes[] {
  try {
    return parseCpuInfo(readText());
  } catch (error) {
    log.warn(`Cannot read /proc/cpuinfo: ${describeError(error)}; ${cpuInfo.name} is left out`);
    return [];
  }
}

function isBusyTime({ metric }: Series): boolean {
  return metric.name === busyTime.name;
}

function createInfo(table: Table, series: readonly Series[]): Table {
  const at = timeOf(table, table.offsets.length - 1);
  return createRow(series, at, new Float64Array(series.length).fill(1));
}

function createSeries(attributes: Attributes, resource: Resource, start: bigint): Series {
  return { metric: cpuInfo, resource, attributes, start };
}
