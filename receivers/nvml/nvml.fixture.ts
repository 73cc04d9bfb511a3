import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { freeClaims, type Claims } from '../../src/component/claims.js';
import type { Consumer } from '../../src/component/consumer.js';
import {
  createFakeContext,
  createLogCollector,
  createTableCollector,
  type LogCollector,
  type TableCollector,
} from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { AttributeValue } from '../../src/model/series.js';
import { factory } from './factory.js';
import { buildNvml, h100, type Answers, type FakeNvml } from './fake-nvml.fixture.js';

/** A receiver of a fake library, which reads when it is flushed. */
export interface Rig {
  readonly nvml: FakeNvml;
  readonly next: TableCollector;
  readonly log: LogCollector;
  /** Reads again. */
  read(): Promise<void>;
  /** Changes answers, then reads. */
  readWith(answers: Answers): Promise<void>;
  /**
   * The last value of the series of a metric with these attributes, in its own attributes or those of its
   * resource; undefined: there is none. NaN: no reading.
   */
  last(metric: string, attributes?: Readonly<Record<string, AttributeValue>>): number | undefined;
}

export interface RigOptions {
  readonly answers?: Answers;
  /** Symbols that the library lacks. */
  readonly without?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Also receives every table. */
  readonly next?: Consumer;
  readonly claims?: Claims;
}

/** Starts a receiver, which the test stops when it ends. It reads at its start and every hour. */
export async function startRig(
  t: TestContext,
  { answers = h100, without = [], settings = {}, next: other, claims = freeClaims }: RigOptions = {},
): Promise<Rig> {
  const nvml = buildNvml(answers, without);
  const next = createTableCollector();
  const log = createLogCollector();
  const context = createFakeContext({ id: 'nvml', log, claims });
  const own = { library: nvml.path, collection_interval: '1h', ...settings };
  const both: Consumer = { consume: (table) => next.consume(table) && (other?.consume(table) ?? true) };
  const receiver = factory.create(parseSettings(factory.schema, own), context, both);
  t.after(() => receiver.shutdown());
  await receiver.start();
  // The first reading is only requested in the next turn of the event loop; all others are requested by the
  // test.
  await setImmediate();
  const read = async () => {
    await receiver.flush?.();
  };
  await read();
  return {
    nvml,
    next,
    log,
    read,
    readWith(changed) {
      nvml.set(changed);
      return read();
    },
    last: (metric, attributes = {}) => findLast(next, metric, attributes),
  };
}

function findLast(
  next: TableCollector,
  metric: string,
  attributes: Readonly<Record<string, AttributeValue>>,
): number | undefined {
  const wanted = Object.entries(attributes);
  const found = next.last(metric).filter(({ series }) => {
    const all = { ...series.resource.attributes, ...series.attributes };
    return wanted.every(([name, value]) => all[name] === value);
  });
  return found.at(-1)?.value;
}
