import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { factory as attribution } from '../processors/attribution/factory.js';
import type { Component, ReceiverContext, ReceiverFactory } from '../src/component/component.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../src/component/fakes.js';
import type { Schema } from '../src/component/schema.js';
import { parseSettings } from '../src/config/settings.js';
import { createWallClock } from '../src/linux/clock.js';
import type { AttributeValue, Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { createSampling } from '../src/sampling/sampling-threads.js';

/** A value of a series at a Unix time in nanoseconds. */
export interface Row {
  readonly series: Series;
  readonly ns: bigint;
  readonly value: number;
}

/** Creates a receiver that passes its tables to `next`. */
export type Creator = (context: ReceiverContext, next: Consumer) => Component;

/** Creates a receiver with these settings. */
export function createReceiver<S extends Schema>(factory: ReceiverFactory<S>, settings: object): Creator {
  return (context, next) => factory.create(parseSettings(factory.schema, settings), context, next);
}

/** Runs receivers for some time, with real sampling threads, before the attribution processor. */
export async function runReceivers(
  t: TestContext,
  creators: readonly Creator[],
  ms: number,
): Promise<readonly Table[]> {
  const log = createLogCollector();
  const fake = createFakeContext({ log, clock: createWallClock() });
  const sampling = createSampling({ log, meter: fake.meter });
  t.after(() => sampling.shutdown());
  const context = { ...fake, sampling };
  const collector = createTableCollector();
  const processor = attribution.create(
    parseSettings(attribution.schema, { process_limit: 0 }),
    context,
    collector,
  );
  const receivers = creators.map((create) => create(context, processor));
  await processor.start();
  for (const receiver of receivers) await receiver.start();
  await sleep(ms);
  for (const receiver of receivers.toReversed()) await receiver.shutdown();
  await processor.shutdown();
  return collector.tables;
}

/** Every reading of a metric, or of all, without gaps. */
export function rowsOf(tables: readonly Table[], name?: string): Row[] {
  return tables.flatMap(({ series, offsets, values, epoch }) =>
    [...values].flatMap((value, cell) => {
      const one = series[cell % series.length];
      const offset = offsets[Math.floor(cell / series.length)] ?? 0;
      if (!one || Number.isNaN(value) || one.metric.name !== (name ?? one.metric.name)) return [];
      return [{ series: one, ns: epoch + BigInt(offset), value }];
    }),
  );
}

/** The value of each series at an instant, summed by an attribute of its resource. */
export function sumAt(rows: readonly Row[], at: bigint, attribute: string): Map<AttributeValue, number> {
  const last = new Map(rows.filter(({ ns }) => ns <= at).map(({ series, value }) => [series, value]));
  const sums = new Map<AttributeValue, number>();
  for (const [{ resource }, value] of last) {
    const key = resource.attributes[attribute] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}
