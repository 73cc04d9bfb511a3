import { getHeapStatistics } from 'node:v8';
import type { Meter, ObservableResult } from '@opentelemetry/api';
import type { Consumer } from '../component/consumer.js';
import { readMemoryUse } from '../linux/memory-use.js';
import { processEnergy } from '../model/ledger-metrics.js';
import { createPlans } from '../model/plan.js';
import { ATTR_PROCESS_PID } from '../model/semantic-conventions.js';
import { seriesKey, type Series } from '../model/series.js';
import { readValue, type Table } from '../model/table.js';
import { observeEventLoop } from './event-loop.js';

/**
 * Observes this process: with the Collector's names where it has them, so that its dashboards work.
 * @param readJoules energy that this process has used since its start, as far as known
 * @returns a function that stops it
 */
export function observeOwnProcess(meter: Meter, readJoules: () => number | undefined): () => void {
  observeCounters(meter, readJoules);
  observeMemory(meter);
  return observeEventLoop(meter);
}

function observeCounters(meter: Meter, readJoules: () => number | undefined): void {
  meter
    .createObservableCounter('otelcol_process_uptime', { unit: 's', description: 'Uptime of the process' })
    .addCallback((result) => result.observe(process.uptime()));
  meter
    .createObservableCounter('otelcol_process_cpu_seconds', {
      unit: 's',
      description: 'Total CPU user and system time in seconds',
    })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  meter
    .createObservableCounter('joulemetry.own.energy', {
      unit: 'J',
      description: 'Energy attributed to the process of the collector itself',
    })
    .addCallback(createJoulesObserver(readJoules));
}

/** Reports energy at most once per second: an endpoint without a password would otherwise be a side channel. */
function createJoulesObserver(readJoules: () => number | undefined) {
  let readAtMs = -Infinity;
  let joules: number | undefined;
  return (result: ObservableResult) => {
    if (performance.now() - readAtMs >= 1000) {
      joules = readJoules();
      readAtMs = performance.now();
    }
    if (joules !== undefined) result.observe(joules);
  };
}

function observeMemory(meter: Meter): void {
  const resident = meter.createObservableGauge('otelcol_process_memory_rss', {
    unit: 'By',
    description: 'Total physical memory (resident set size)',
  });
  const own = meter.createObservableGauge('joulemetry.own.private_memory', {
    unit: 'By',
    description:
      'Physical memory that is neither in a file nor shared with other processes: without the program and its libraries',
  });
  const used = meter.createObservableGauge('otelcol_process_runtime_heap_alloc_bytes', {
    unit: 'By',
    description: 'Bytes of allocated heap objects',
  });
  const obtained = meter.createObservableGauge('otelcol_process_runtime_total_sys_memory_bytes', {
    unit: 'By',
    description: 'Total bytes of memory obtained from the OS for the heap and for buffers outside it',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const { residentBytes, privateBytes } = readMemoryUse('self');
      result.observe(resident, residentBytes);
      result.observe(own, privateBytes);
      // `process.memoryUsage` would read the resident memory again.
      const heap = getHeapStatistics();
      result.observe(used, heap.used_heap_size);
      result.observe(obtained, heap.total_heap_size + heap.external_memory);
    },
    [resident, own, used, obtained],
  );
}

/** Sums up the passing energy that was attributed to one process. */
export interface OwnEnergy extends Consumer {
  /** Joules since the process was first seen, over all kinds of hardware; undefined before that. */
  readJoules(): number | undefined;
}

/** @param pid the process to watch, by default this one */
export function watchOwnEnergy(pid: number = process.pid): OwnEnergy {
  /** By key: several pipelines that each attribute energy are not counted twice. */
  const joules = new Map<string, number>();
  const findOwn = createPlans((series: readonly Series[]) =>
    series.flatMap((one, column) => (isOwn(one, pid) ? [{ one, column }] : [])),
  );
  return {
    consume(table: Table): boolean {
      const lastRow = table.offsets.length - 1;
      if (lastRow < 0) return true;
      for (const { one, column } of findOwn(table.series)) {
        const value = readValue(table, lastRow, column);
        if (!Number.isNaN(value)) joules.set(seriesKey(one), value);
      }
      return true;
    },
    readJoules: () =>
      joules.size === 0 ? undefined : [...joules.values()].reduce((sum, value) => sum + value, 0),
  };
}

function isOwn({ metric, resource }: Series, pid: number): boolean {
  return metric.name === processEnergy.name && resource.attributes[ATTR_PROCESS_PID] === pid;
}
