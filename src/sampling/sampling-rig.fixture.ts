import type { TestContext } from 'node:test';
import { createNoopMeter, type Counter, type Meter } from '@opentelemetry/api';
import { createLogCollector, createTableCollector, type TableCollector } from '../component/fakes.js';
import type { SamplerRequest } from '../component/sampling.js';
import type { Metric } from '../model/series.js';
import { createSampling } from './sampling-threads.js';
import { createTestControl } from './test-sampler.fixture.js';

const metric: Metric = { name: 'test', unit: '1', description: '', kind: 'counter', valueType: 'int' };
const resource = { attributes: {} };

/** Sampling with the test sampler, its control, and the tables that arrive. */
export function createRig(
  t: TestContext,
  overrides: Partial<SamplerRequest> & {
    readonly stopTimeoutMs?: number;
    readonly wallOffsetNs?: bigint;
  } = {},
) {
  const { stopTimeoutMs = 120_000, wallOffsetNs, ...requested } = overrides;
  const [log, threadLog] = [createLogCollector(), createLogCollector()];
  const next = createTableCollector();
  const control = createTestControl();
  const { meter, counts } = createCounts();
  const sampling = createSampling({
    log: threadLog,
    meter,
    stopTimeoutMs,
    ...(wallOffsetNs !== undefined && { wallOffsetNs }),
  });
  t.after(() => sampling.shutdown());
  const request: SamplerRequest = {
    id: 'test',
    module: new URL('./test-sampler.fixture.js', import.meta.url),
    options: control,
    periodNs: 1e6,
    flushMs: 5,
    // The columns of the test sampler.
    describe: (columns, start) =>
      (columns as string[]).map((column) => ({ metric, resource, attributes: { column }, start })),
    next,
    log,
    ...requested,
  };
  return { log, threadLog, next, control, counts, sampling, request };
}

/** The sums of all counters by name. */
export function createCounts(): { readonly meter: Meter; readonly counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const createCounter = (name: string): Counter => ({
    add: (value) => void counts.set(name, (counts.get(name) ?? 0) + value),
  });
  return { counts, meter: Object.create(createNoopMeter(), { createCounter: { value: createCounter } }) };
}

/** The values and instants of the first column whose series has this attribute. */
export function rowsOf({ tables }: TableCollector, column: string) {
  const mine = tables.filter(({ series }) => series[0]?.attributes['column'] === column);
  return {
    values: mine.flatMap(({ series, values }) =>
      Array.from(values).filter((_, cell) => cell % series.length === 0),
    ),
    instants: mine.flatMap(({ epoch, offsets }) => Array.from(offsets, (offset) => epoch + BigInt(offset))),
  };
}
