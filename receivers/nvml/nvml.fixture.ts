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

/** A receiver of a made-up library, which reads when it is flushed. */
export interface Rig {
  readonly nvml: FakeNvml;
  readonly next: TableCollector;
  readonly log: LogCollector;
  /** Reads once more. */
  read(): Promise<void>;
  /** Changes answers, then reads. */
  readWith(answers: Answers): Promise<void>;
  /**
   * The last value of the series of a metric whose attributes, or those of its resource, have these values; undefined:
   * there is none. NaN: no reading.
   */
  last(metric: string, attributes?: Readonly<Record<string, AttributeValue>>): number | undefined;
}

export interface RigOptions {
  readonly answers?: Answers;
  /** Symbols that the library lacks. */
  readonly without?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Takes every table, too. */
  readonly next?: Consumer;
  readonly claims?: Claims;
}

/** Starts one, which the test stops when it ends. It reads every hour, and once at its start. */
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
  // The loop asks for its own first reading only now: every other one is asked for by the test.
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
