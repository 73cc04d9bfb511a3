import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ReceiverContext } from '../component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../component/fakes.js';
import type { Metric } from '../model/series.js';
import type { Table } from '../model/table.js';
import { Counts } from './counts.js';
import {
  createPollingReceiver,
  type PollingReceiverOptions,
  type PollingTargets,
} from './polling-receiver.js';
import type { PollingTarget } from './polling-target.js';
import { TableSet } from './table-set.js';

export const energy: Metric = {
  name: 'energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'int',
};

export type Answer = (signal: AbortSignal, call: number) => number | Promise<number>;

/** A meter whose answers a test chooses, and its recorded calls. */
export interface FakeMeter extends PollingTarget {
  calls: number;
  closed: number;
}

export function createMeter(name: string, answer: Answer, changes: Partial<PollingTarget> = {}): FakeMeter {
  const tables = new TableSet({ attributes: { name } });
  const counters = tables.counters(() => [{ metric: energy, attributes: {}, perUnit: 1 }]);
  const counts = new Counts(1);
  let lastAt = 0n;
  const meter: FakeMeter = {
    name,
    calls: 0,
    closed: 0,
    async read(signal) {
      counts.set(0, await answer(signal, ++meter.calls));
      counters.begin(++lastAt);
      counters.add('meter', counts);
      return [counters.finish()];
    },
    restart: (at) => tables.restart(at),
    close: () => void meter.closed++,
    ...changes,
  };
  return meter;
}

export interface Rig {
  readonly next: ReturnType<typeof createTableCollector>;
  readonly log: ReturnType<typeof createLogCollector>;
  readonly receiver: ReturnType<typeof createPollingReceiver>;
  readonly targets: PollingTargets;
}

/** Starts a receiver that polls these targets every 5 ms, unless options differ. */
export async function start(
  t: TestContext,
  meters: readonly PollingTarget[],
  options: Partial<PollingReceiverOptions> = {},
  overrides: Partial<ReceiverContext> = {},
): Promise<Rig> {
  const next = createTableCollector();
  const log = createLogCollector();
  const kept: { targets?: PollingTargets } = {};
  const receiver = createPollingReceiver({
    intervalMs: 5,
    context: createFakeContext({ log, ...overrides }),
    next,
    open(targets) {
      kept.targets = targets;
      for (const meter of meters) targets.add(meter);
    },
    ...options,
  });
  await receiver.start();
  t.after(() => receiver.shutdown(0));
  assert.ok(kept.targets);
  return { next, log, receiver, targets: kept.targets };
}

/** Never answers, whatever happens to the request. */
export const never = () => new Promise<never>(() => {});

/** Waits like a request: until it is aborted. */
export const hang: Answer = (signal) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('socket closed'))));

export function rowsOf(tables: readonly Table[], name: string): Table[] {
  return tables.filter(
    ({ series, offsets }) => offsets.length > 0 && series[0]?.resource.attributes['name'] === name,
  );
}
