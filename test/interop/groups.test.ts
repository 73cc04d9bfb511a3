import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory as groupByAttributes } from '../../processors/group_by_attributes/factory.js';
import { factory as metricsTransform } from '../../processors/metrics_transform/factory.js';
import { factory as topk } from '../../processors/topk/factory.js';
import type { ProcessorFactory } from '../../src/component/component.js';
import { createFakeContext, createTableCollector, type TableCollector } from '../../src/component/fakes.js';
import type { Schema } from '../../src/component/schema.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createRow, timeOf } from '../../src/model/table.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/compute_groups.py', import.meta.url));
const skip = isWithout('pandas');
const epoch = 1_800_000_000_000_000_000n;
const states = ['user', 'system', 'idle'];
const cpus = 7;

type Row = readonly [time: number, state: string, cpu: number, value: number];
type Group = readonly [time: number, state: string, value: number];

interface Expected extends Readonly<Record<'sum' | 'mean' | 'min' | 'max', readonly Group[]>> {
  readonly total: readonly number[];
}

function createRows(seed: number, isCounter: boolean): readonly Row[] {
  const random = createRandom(seed);
  const reached = new Map<string, number>();
  return Array.from({ length: 50 }, (_, time) =>
    states.flatMap((state) =>
      Array.from({ length: cpus }, (_none, cpu): Row => {
        const key = `${state} ${cpu}`;
        const value = (isCounter ? (reached.get(key) ?? 0) : 0) + random.fraction() * 10 ** random.whole(4);
        reached.set(key, value);
        return [time, state, cpu, value];
      }),
    ),
  ).flat();
}

function compute(rows: readonly Row[]): Expected {
  const input = JSON.stringify({ rows });
  return JSON.parse(execFileSync(peerPath('pandas'), [script], { input, maxBuffer: 2 ** 26 }).toString());
}

interface Input {
  readonly kind: Metric['kind'];
  readonly rows: readonly Row[];
  /** The resource of a CPU. */
  resourceOf?(cpu: number): Attributes;
  /** Whether the CPU is an attribute. */
  readonly hasCpu?: boolean;
}

/** What a processor forwards, of a table a second. */
function run(
  factory: ProcessorFactory,
  settings: object,
  { kind, rows, resourceOf = () => ({}), hasCpu = true }: Input,
): TableCollector {
  const metric: Metric = { name: 'cpu.use', unit: 's', description: '', kind, valueType: 'double' };
  const series = states.flatMap((state) =>
    Array.from({ length: cpus }, (_, cpu): Series => {
      const resource = { attributes: resourceOf(cpu) };
      return { metric, resource, attributes: { state, ...(hasCpu && { cpu }) }, start: epoch };
    }),
  );
  const out = createTableCollector();
  const processor = factory.create(parseSettings<Schema>(factory.schema, settings), createFakeContext(), out);
  for (let from = 0; from < rows.length; from += series.length) {
    const values = rows.slice(from, from + series.length).map(([, , , value]) => value);
    const at = epoch + BigInt(from / series.length) * 1_000_000_000n;
    processor.consume(createRow(series, at, Float64Array.from(values)));
  }
  void processor.shutdown();
  return out;
}

/** The value of each group at each second. */
function listGroups({ tables }: TableCollector): readonly Group[] {
  return tables.flatMap((table) =>
    table.series.map(({ resource, attributes }, column): Group => {
      const { state } = { ...resource.attributes, ...attributes };
      const time = Number((timeOf(table, 0) - epoch) / 1_000_000_000n);
      return [time, String(state), table.values[column] ?? NaN];
    }),
  );
}

function assertSame(found: readonly Group[], expected: readonly Group[]): void {
  const sort = (groups: readonly Group[]) =>
    groups.toSorted(([a, one], [b, other]) => a - b || (one < other ? -1 : 1));
  const [own, theirs] = [sort(found), sort(expected)];
  assert.deepEqual(
    own.map(([time, state]) => [time, state]),
    theirs.map(([time, state]) => [time, state]),
  );
  for (const [i, [, , value]] of theirs.entries()) {
    assert.ok(Math.abs((own[i]?.[2] ?? NaN) - value) <= 1e-9 * value, `${own[i]?.join()}, expected ${value}`);
  }
}

test('pandas computes the same aggregates as metrics_transform', { skip }, () => {
  const rows = createRows(3, false);
  const expected = compute(rows);
  for (const type of ['sum', 'mean', 'min', 'max'] as const) {
    const operation = { action: 'aggregate_labels', label_set: ['state'], aggregation_type: type };
    const transforms = [{ include: 'cpu.use', action: 'update', operations: [operation] }];
    const out = run(metricsTransform, { transforms }, { kind: 'gauge', rows });
    assertSame(listGroups(out), expected[type]);
  }
});

/** The attribute of a series replaces this one of its resource. */
function describeCpu(cpu: number): Attributes {
  return { state: `earlier ${cpu}` };
}

test('pandas computes the same sums as group_by_attributes', { skip }, () => {
  const rows = createRows(4, false);
  const out = run(
    groupByAttributes,
    { keys: ['state'] },
    { kind: 'gauge', rows, resourceOf: describeCpu, hasCpu: false },
  );
  assertSame(listGroups(out), compute(rows).sum);
});

test(
  'pandas computes the same total of counters as the groups and the rest of topk together',
  { skip },
  () => {
    const rows = createRows(5, true);
    const settings = { metric: 'cpu.use', group_by: ['cpu'], limit: 3 };
    const found = run(topk, settings, { kind: 'counter', rows }).last('cpu.use');
    // Counters keep their last value after their series have ended.
    assert.ok(found.length >= 4 * states.length, `${found.length} series`);
    const sum = found.reduce((seconds, { value }) => seconds + value, 0);
    const total = compute(rows).total[49] ?? NaN;
    assert.ok(Math.abs(sum / total - 1) < 1e-9, `${sum}, expected ${total}`);
  },
);
