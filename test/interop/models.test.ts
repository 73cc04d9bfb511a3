import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { create as createEstimation, createSeries } from '../../processors/estimation/estimation.fixture.js';
import { factory as filter } from '../../processors/filter/factory.js';
import { factory as power } from '../../processors/power/factory.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { elementAt } from '../../src/element.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createRow, timeOf } from '../../src/model/table.js';
import { busyTime, logicalCpus } from '../../src/model/usage-metrics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/compute_models.py', import.meta.url));
const skip = isWithout('pandas');
const epoch = 1_800_000_000_000_000_000n;
const windowNs = 10e9;
const seeds = [1, 2, 3];

function compute(what: string, input: object): unknown {
  const options = { input: JSON.stringify(input), maxBuffer: 2 ** 26 };
  return JSON.parse(execFileSync(peerPath('pandas'), [script, what], options).toString());
}

type Point = readonly [ns: number, value: number];

function assertSame(found: readonly Point[], expected: readonly Point[], what: string): void {
  assert.deepEqual(
    found.map(([ns]) => ns),
    expected.map(([ns]) => ns),
    what,
  );
  for (const [i, [, value]] of expected.entries()) {
    const own = found[i]?.[1] ?? NaN;
    assert.ok(Math.abs(own - value) <= 1e-9 * Math.max(1, Math.abs(value)), `${what}: ${own}, not ${value}`);
  }
}

/** Readings at irregular times, some of which are windows apart. */
function createReadings(seed: number) {
  const random = createRandom(seed);
  const [times, joules] = [[0], [0]];
  for (let i = 1; i < 400; i++) {
    const passed = 1 + random.whole(random.fraction() < 0.02 ? 2.5 * windowNs : 2e9);
    times.push((times[i - 1] ?? NaN) + passed);
    joules.push((joules[i - 1] ?? NaN) + (random.fraction() * 300 * passed) / 1e9);
  }
  return { times, joules };
}

for (const method of ['measured', 'estimated']) {
  test(`pandas computes the same powers as power, of ${method} energy`, { skip }, () => {
    for (const seed of seeds) {
      const { times, joules } = createReadings(seed);
      const out = createTableCollector();
      const config = parseSettings(power.schema, { window: '10s' });
      const processor = power.create(config, createFakeContext(), out);
      const attributes = { 'hw.type': 'cpu', 'energy.method': method };
      const series: Series[] = [{ metric: hwEnergy, resource: { attributes: {} }, attributes, start: epoch }];
      for (const [i, time] of times.entries()) {
        processor.consume(createRow(series, epoch + BigInt(time), Float64Array.of(joules[i] ?? NaN)));
      }
      const tables = out.tables.filter((table) => table.series[0]?.metric.name === 'hw.power');
      const found = tables.flatMap((table) =>
        Array.from(table.values, (watts, row): Point => [Number(timeOf(table, row) - epoch), watts]),
      );
      const ends = found.map(([ns]) => ns);
      const expected = compute('power', { times, joules, windowNs, ends }) as {
        readonly watts: readonly number[];
        readonly missed: readonly number[];
      };
      assert.deepEqual(expected.missed, []);
      const windows = Math.ceil((times.at(-1) ?? NaN) / windowNs);
      assert.ok(ends.length > windows / 2 && ends.length <= windows, `${ends.length} of ${windows} windows`);
      assertSame(found, expected.watts.map((watts, i) => [ends[i] ?? NaN, watts]), `seed ${seed}`); // prettier-ignore
    }
  });
}

const models = {
  cpu: { idle_power: 20, max_power: 120, max_frequency: 4e9, frequency_exponent: 2.5 },
  memory: { power_per_gb: 0.4 },
  disk: { idle_power: 5, max_power: 9 },
  network: { idle_power: 3, max_power: 5, speed: 8e9 },
};
const cpus = 8;

/** Utilization of a machine at irregular times. */
function createUtilization(seed: number) {
  const random = createRandom(seed);
  const names = ['times', 'busy', 'hertz', 'bytes', 'io_time', 'received', 'transmitted'] as const;
  const rows = Object.fromEntries(names.map((name) => [name, [0]])) as Record<
    (typeof names)[number],
    number[]
  >;
  rows.hertz = [2e9];
  rows.bytes = [2 ** 33];
  for (let i = 1; i < 300; i++) {
    const ns = 1 + random.whole(3e9);
    const grow = (name: (typeof names)[number], most: number) =>
      rows[name].push((rows[name].at(-1) ?? NaN) + random.fraction() * most);
    rows.times.push((rows.times.at(-1) ?? NaN) + ns);
    grow('busy', (cpus * ns) / 1e9);
    grow('io_time', ns / 1e9);
    grow('received', ns);
    grow('transmitted', ns);
    rows.hertz.push(random.fraction() < 0.3 ? 1e9 + random.fraction() * 4e9 : (rows.hertz.at(-1) ?? NaN));
    rows.bytes.push(random.fraction() < 0.1 ? 2 ** 30 * random.whole(64) : (rows.bytes.at(-1) ?? NaN));
  }
  return rows;
}

const usage = [
  createSeries('system.cpu.frequency', { 'cpu.logical_number': 0 }),
  createSeries(busyTime),
  createSeries('system.memory.limit'),
  createSeries('system.disk.io_time', { 'system.device': 'sda' }),
  ...['receive', 'transmit'].map((direction) =>
    createSeries('system.network.io', {
      'network.interface.name': 'eth0',
      'network.io.direction': direction,
    }),
  ),
];
const estimates = {
  cpu: 'cpu-estimate',
  memory: 'memory-estimate',
  disk: 'sda-estimate',
  network: 'eth0-estimate',
};

test('NumPy computes the same energy of CPUs, memory, disks and ports as estimation', { skip }, () => {
  const { disk, ...others } = models;
  for (const seed of seeds) {
    const rows = createUtilization(seed);
    const estimation = createEstimation({ ...others, disk: { hdd: { devices: '^sd', ...disk } } });
    estimation.consume(createRow([createSeries(logicalCpus)], epoch, Float64Array.of(cpus)));
    for (const [i, ns] of rows.times.entries()) {
      const { hertz, busy, bytes, io_time: ioTime, received, transmitted } = rows;
      const row = [hertz, busy, bytes, ioTime, received, transmitted].map((values) => values[i] ?? NaN);
      estimation.consume(createRow(usage, epoch + BigInt(ns), Float64Array.from(row)));
    }
    const expected = compute('estimation', { ...models, cpus, rows }) as Record<string, readonly number[]>;
    for (const [name, id] of Object.entries(estimates)) {
      const found = estimation.out.tables.flatMap((table) => {
        const column = table.series.findIndex(
          ({ metric, attributes }) => metric === hwEnergy && attributes['hw.id'] === id,
        );
        return column < 0 ? [] : [[Number(table.epoch - epoch), table.values[column] ?? NaN] as const];
      });
      const wanted = (expected[name] ?? []).map((joules, i) => [rows.times[i] ?? NaN, joules] as const);
      assertSame(found, wanted, `${name}, seed ${seed}`);
    }
  }
});

type Row = readonly [name: string, type: string | null, owner: string | null];

function createRows(seed: number): readonly Row[] {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => elementAt(list, random.whole(list.length));
  const names = ['hw.power', 'hw.energy', 'process.power', 'process.cpu.time', 'process.energy', 'xhw.power'];
  return Array.from({ length: 200 }, (): Row => {
    return [pick(names), pick(['cpu', 'gpu', null]), pick(['root', 'daemon', 'rooted', null])];
  });
}

const filters: Readonly<Record<string, object>> = {
  names: { include: [{ metric_names: ['hw.power', 'process.power'] }] },
  pattern: {
    include: [{ match: 'regexp', metric_names: ['hw\\..*'] }],
    exclude: [{ attributes: { 'hw.type': 'gpu' } }],
  },
  owners: { exclude: [{ match: 'regexp', resource_attributes: { 'process.owner': 'root|daemon' } }] },
  collector_names: {
    metrics: {
      include: { match_type: 'regexp', metric_names: ['^hw'] },
      exclude: { match_type: 'regexp', metric_names: ['power'] },
    },
  },
  collector_conditions: {
    metrics: {
      metric: ['name == "process.cpu.time" and resource.attributes["process.owner"] == "root"'],
      datapoint: [
        'attributes["hw.type"] == "gpu" or (IsMatch(metric.name, "energy$") and not (attributes["hw.type"] == "cpu"))',
      ],
    },
  },
};

test('pandas selects the same series as filter, in both of its layouts', { skip }, () => {
  const rows = createRows(7);
  const series = rows.map(([name, type, owner]): Series => {
    const attributes: Attributes = type === null ? {} : { 'hw.type': type };
    const resource: Attributes = owner === null ? {} : { 'process.owner': owner };
    return { metric: { ...hwEnergy, name }, resource: { attributes: resource }, attributes, start: epoch };
  });
  const expected = compute('selection', { series: rows }) as Readonly<Record<string, readonly number[]>>;
  assert.deepEqual(Object.keys(expected), Object.keys(filters));
  for (const [name, settings] of Object.entries(filters)) {
    const out = createTableCollector();
    const processor = filter.create(parseSettings(filter.schema, settings), createFakeContext(), out);
    processor.consume(createRow(series, epoch, Float64Array.from(series.keys())));
    const kept = [...(out.tables[0]?.values ?? [])];
    assert.ok(kept.length > 0 && kept.length < series.length, name);
    assert.deepEqual(kept, expected[name], name);
  }
});
