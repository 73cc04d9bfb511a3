import type { Meter, ObservableResult } from '@opentelemetry/api';
import { EventLoopDelay } from './event-loop-delay.js';

/**
 * Observes this process: under the Collector's names where it has them, so that its dashboards work.
 * @param readJoules energy that this process used since it was started, as far as it is known
 * @returns ends what runs for it
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
      description: 'Energy that the collector itself used, as attributed to its process',
    })
    .addCallback(createJoulesObserver(readJoules));
}

/** Reports energy no finer than once a second: an endpoint without a password would be a side channel. */
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
  meter
    .createObservableGauge('otelcol_process_memory_rss', {
      unit: 'By',
      description: 'Total physical memory (resident set size)',
    })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableGauge('otelcol_process_runtime_heap_alloc_bytes', {
      unit: 'By',
      description: 'Bytes of allocated heap objects',
    })
    .addCallback((result) => result.observe(process.memoryUsage().heapUsed));
  meter
    .createObservableGauge('otelcol_process_runtime_total_sys_memory_bytes', {
      unit: 'By',
      description: 'Total bytes of memory obtained from the OS for the heap and for buffers beside it',
    })
    .addCallback((result) => {
      const { heapTotal, external } = process.memoryUsage();
      result.observe(heapTotal + external);
    });
}

function observeEventLoop(meter: Meter): () => void {
  const delay = new EventLoopDelay();
  const mean = meter.createObservableGauge('nodejs.eventloop.delay.mean', {
    unit: 's',
    description: 'Mean delay of a timer on the main thread since the last collection',
  });
  const max = meter.createObservableGauge('nodejs.eventloop.delay.max', {
    unit: 's',
    description: 'Greatest delay of a timer on the main thread since the last collection',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const measured = delay.take();
      if (measured === undefined) return;
      result.observe(mean, measured.mean);
      result.observe(max, measured.max);
    },
    [mean, max],
  );
  observeUtilization(meter);
  return () => delay.close();
}

function observeUtilization(meter: Meter): void {
  let last = performance.eventLoopUtilization();
  meter
    .createObservableGauge('nodejs.eventloop.utilization', {
      unit: '1',
      description: 'Share of time since the last collection that the main thread did not wait',
    })
    .addCallback((result) => {
      const now = performance.eventLoopUtilization();
      result.observe(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    });
}
