import type { Log } from '../../src/component/log.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { factory } from './factory.js';
import type { Lookup } from './lookup.js';
import type { Answer, Names } from './workload-names.js';

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

/** Names that a test gives when it wants. */
export class TestNames implements Names {
  readonly asked: Lookup[] = [];
  isClosed = false;
  readonly #answers = new Map<string, (answer: Answer) => void>();

  start(): void {}

  find(lookups: readonly Lookup[]): readonly Promise<Answer>[] {
    this.asked.push(...lookups);
    return lookups.map(({ id }) => new Promise((resolve) => this.#answers.set(id, resolve)));
  }

  /** Answers, and lets what waits for that go on. */
  async answer(id: string, names: Attributes, isCertain = true): Promise<void> {
    this.#answers.get(id)?.({ names, isCertain });
    await Promise.resolve();
    await Promise.resolve();
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A processor with its defaults except for these settings, and what it forwards. */
export function createProcessor(settings: object, log: Log = createLogCollector()) {
  const next = createTableCollector();
  const processor = factory.create(parseSettings(factory.schema, settings), createFakeContext({ log }), next);
  return { processor, next };
}
