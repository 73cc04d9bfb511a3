import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ReceiverContext } from '../../src/component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import type { Answer, Lookup, Names } from './lookup.js';

/** A container id. */
export function containerId(number: number): string {
  return `c${number.toString(16).padStart(63, '0')}`;
}

/** A counter of a resource with these attributes. */
export function seriesOf(attributes: Attributes, start = 0n): Series {
  const metric = {
    name: 'process.cpu.time',
    unit: 's',
    description: '',
    kind: 'counter',
    valueType: 'double',
  } as const;
  return { metric, resource: { attributes }, attributes: {}, start };
}

/** A row of 0, 1, 2 and so on. */
export function rowOf(...series: readonly Series[]): Table {
  return createRow(series, 1n, Float64Array.from(series.keys()));
}

/** The resources of a table's columns. */
export function resourcesOf({ series }: Table): readonly Attributes[] {
  return series.map(({ resource }) => resource.attributes);
}

/** Names that a test provides when it chooses to. */
export class TestNames implements Names {
  readonly asked: Lookup[] = [];
  isClosed = false;
  readonly #answers = new Map<string, (answer: Answer) => void>();

  start(): void {}

  hold(): () => void {
    return () => undefined;
  }

  find(lookup: Lookup): Promise<Answer> {
    this.asked.push(lookup);
    return new Promise((resolve) => this.#answers.set(lookup.id, resolve));
  }

  /** Answers, and lets the code that waits for it continue. */
  async answer(id: string, names: Attributes, isCertain = true): Promise<void> {
    this.#answers.get(id)?.({ names, isCertain });
    await Promise.resolve();
    await Promise.resolve();
    // A time slice may be over before the tables are forwarded.
    await setImmediate();
  }

  close(): void {
    this.isClosed = true;
  }
}

/**
 * The processor with its defaults except for these settings, its forwarded tables and logs, and a function that
 * names a resource.
 */
export function runProcessor(t: TestContext, settings: object, context: Partial<ReceiverContext> = {}) {
  const log = createLogCollector();
  const next = createTableCollector();
  const config = parseSettings(factory.schema, settings);
  const processor = factory.create(config, createFakeContext({ log, ...context }), next);
  void processor.start();
  t.after(() => processor.shutdown());
  /** Forwards a new series of a resource. @returns the names that it gets */
  const name = async (attributes: Attributes): Promise<Attributes> => {
    const count = next.tables.length;
    processor.consume(rowOf(seriesOf(attributes)));
    await until(() => next.tables.length > count);
    const named = Object.entries(resourcesOf(next.tables[count])[0]);
    return Object.fromEntries(named.filter(([key]) => !(key in attributes)));
  };
  return { log, processor, next, name };
}
