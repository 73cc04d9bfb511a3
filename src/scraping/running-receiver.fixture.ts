import type { TestContext } from 'node:test';
import type { Component, ReceiverContext, ReceiverFactory } from '../component/component.js';
import {
  createFakeContext,
  createLogCollector,
  createTableCollector,
  type LogCollector,
  type TableCollector,
} from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { parseSettings } from '../config/settings.js';
import { checkTables } from '../model/check-tables.js';
import type { Series } from '../model/series.js';

/** A running receiver. */
export interface RunningReceiver {
  readonly receiver: Component;
  readonly log: LogCollector;
  readonly collector: TableCollector;
  /** The last values of a metric, by `hw.id`. */
  last(metric: string): Readonly<Record<string, number>>;
}

/** For tests: starts a receiver; it is shut down after the test, and its tables are checked. */
export async function startReceiver<S extends Schema>(
  t: TestContext,
  factory: ReceiverFactory<S>,
  settings: unknown,
  overrides: Partial<ReceiverContext> = {},
): Promise<RunningReceiver> {
  const running = create(factory, settings, overrides);
  t.after(async () => {
    await running.receiver.shutdown();
    checkTables(running.collector.tables);
  });
  await running.receiver.start();
  return running;
}

function create<S extends Schema>(
  factory: ReceiverFactory<S>,
  settings: unknown,
  overrides: Partial<ReceiverContext>,
): RunningReceiver {
  const log = createLogCollector();
  const collector = createTableCollector();
  const context = createFakeContext({ log, ...overrides });
  const receiver = factory.create(parseSettings(factory.schema, settings), context, collector);
  const last = (metric: string) =>
    Object.fromEntries(
      collector.last(metric).map(({ series, value }) => [String(series.attributes['hw.id']), value]),
    );
  return { receiver, log, collector, last };
}

/** A receiver that runs on a test clock. */
export interface PacedReceiver extends RunningReceiver {
  /** Advances the clock by some seconds, and reads. @returns only the new readings */
  read(seconds: number): Promise<readonly (readonly [Series, number])[]>;
  /** Steps the wall clock that the receiver sees. */
  breakClock(): void;
}

/** For tests: starts a receiver whose clock advances only when the test reads. */
export async function startPacedReceiver<S extends Schema>(
  t: TestContext,
  factory: ReceiverFactory<S>,
  settings: unknown,
  overrides: Partial<ReceiverContext> = {},
): Promise<PacedReceiver> {
  let [nowNs, breaks] = [0n, 0];
  const clock = {
    wallNs: () => 1_800_000_000_000_000_000n + nowNs,
    monotonicNs: () => nowNs,
    countBreaks: () => breaks,
  };
  const running = create(factory, settings, { ...overrides, clock });
  t.after(() => running.receiver.shutdown());
  await running.receiver.start();
  const { tables } = running.collector;
  return {
    ...running,
    async read(seconds) {
      nowNs += BigInt(Math.round(seconds * 1e9));
      tables.length = 0;
      await running.receiver.flush?.();
      return tables.flatMap(({ series, values }) =>
        series.map((one, i): [Series, number] => [one, values[i] ?? NaN]),
      );
    },
    breakClock: () => void breaks++,
  };
}
