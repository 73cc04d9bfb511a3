import type { Attributes, Metric, MetricKind, Resource, Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { createRandom, type Random } from '../src/testing/random.fixture.js';

const epoch = 1_800_000_000_000_000_000n;

function metricOf([name, kind, unit]: readonly [name: string, kind: MetricKind, unit: string]): Metric {
  return { name, kind, unit, description: '', valueType: 'double' };
}

/** Metrics of machines and of workloads that processors use. */
const metrics = (
  [
    ['hw.energy', 'counter', 'J'],
    ['rapl.energy', 'counter', 'J'],
    ['process.energy', 'counter', 'J'],
    ['process.cpu.time', 'counter', 's'],
    ['process.disk.io', 'counter', 'By'],
    ['container.cpu.time', 'counter', 's'],
    ['requests', 'counter', '{request}'],
    ['tokens', 'counter', '{token}'],
    ['process.memory.usage', 'updowncounter', 'By'],
    ['hw.temperature', 'gauge', 'Cel'],
    ['system.cpu.busy.time', 'counter', 's'],
    ['system.cpu.logical.count', 'updowncounter', '{cpu}'],
    ['system.cpu.frequency', 'gauge', 'Hz'],
    ['system.disk.io_time', 'counter', 's'],
    ['system.memory.limit', 'updowncounter', 'By'],
  ] as const
).map(metricOf);

const resources: readonly Resource[] = [
  { attributes: { 'host.name': 'node-1' } },
  ...[1, 2, 3].map((pid) => ({
    attributes: {
      'host.name': 'node-1',
      'process.pid': pid,
      'process.executable.name': `program-${pid % 2}`,
      'service.name': `service-${pid % 2}`,
      'container.id': `container-${pid % 2}`,
    },
  })),
];

const attributeSets: readonly Attributes[] = [
  {},
  { 'hw.type': 'cpu', 'hw.id': 'package-0' },
  { 'hw.type': 'cpu', 'hw.id': 'package-1' },
  { 'hw.type': 'memory', 'hw.id': 'dram-0', 'hw.parent': 'package-0' },
  { 'cpu.mode': 'user' },
  { 'cpu.mode': 'system' },
  { 'disk.io.direction': 'read' },
  { 'rapl.domain': 'core', 'hw.id': 'core-0' },
  { 'rapl.domain': 'psys', 'hw.id': 'psys' },
];

/** A series and its last value. */
interface Column {
  series: Series;
  value: number;
}

/** Columns that are read together. */
interface Group {
  columns: Column[];
  series: readonly Series[];
}

/**
 * For tests: tables that obey the rules for tables (see `checkTables`), of several receivers, with gaps, bursts of rows,
 * pauses, counters that are reset or stand still, and series that start late, with an old count, and end.
 */
export function createRandomTables(seed: number): readonly Table[] {
  return new RandomTables(createRandom(seed)).create();
}

class RandomTables {
  readonly #random: Random;
  readonly #live = new Set<string>();
  readonly #groups: Group[] = [];
  readonly #tables: Table[] = [];
  #now = epoch;

  constructor(random: Random) {
    this.#random = random;
  }

  create(): readonly Table[] {
    const random = this.#random;
    for (let i = 0; i < 3; i++) this.#addGroup();
    for (let step = 20 + random.whole(40); step > 0; step--) {
      this.#now += BigInt(1 + random.whole(random.pick([1e6, 1e8, 1.5e9, 1e10])));
      if (random.chance(0.1)) this.#addGroup();
      if (this.#groups.length > 0) this.#read(random.pick(this.#groups));
    }
    return this.#tables;
  }

  #addGroup(): void {
    const columns: Column[] = [];
    for (let i = this.#random.whole(4); i >= 0; i--) columns.push(...this.#createColumn());
    if (columns.length > 0) this.#groups.push({ columns, series: columns.map(({ series }) => series) });
  }

  /** None if such a series is live. */
  #createColumn(): readonly Column[] {
    const random = this.#random;
    const [metric, resource] = [random.pick(metrics), random.pick(resources)];
    // A machine has one series of each of these.
    const attributes = metric.name.startsWith('system.') ? {} : random.pick(attributeSets);
    const ageNs = BigInt(random.whole(random.pick([1, 3e9, 3e12])));
    const series = { metric, resource, attributes, start: this.#now - ageNs };
    const key = keyOf(series);
    if (this.#live.has(key)) return [];
    this.#live.add(key);
    return [{ series, value: 0 }];
  }

  #read(group: Group): void {
    const random = this.#random;
    const [offsets, values] = [[0], [] as number[]];
    for (let more = random.whole(3); more > 0; more--) {
      offsets.push((offsets.at(-1) ?? 0) + 1 + random.whole(random.pick([1e6, 1e9, 3e9])));
    }
    for (const _ of offsets) values.push(...group.columns.map((column) => this.#next(column)));
    const table = {
      series: group.series,
      epoch: this.#now,
      offsets: Float64Array.from(offsets),
      values: Float64Array.from(values),
    };
    this.#now += BigInt(offsets.at(-1) ?? 0);
    const ended = random.chance(0.12) ? this.#endOne(group) : [];
    this.#tables.push(ended.length > 0 ? { ...table, ended } : table);
  }

  #next(column: Column): number {
    const random = this.#random;
    const isCounter = column.series.metric.kind === 'counter';
    const step = random.fraction() * random.pick([0, 1, 100, 1e6]);
    column.value = isCounter ? column.value + step : random.fraction() * 100;
    return random.chance(0.15) ? NaN : column.value;
  }

  /** A counter that is reset continues as another series from its next table on. */
  #endOne(group: Group): readonly Series[] {
    const column = this.#random.pick(group.columns);
    const ended = column.series;
    if (ended.metric.kind === 'counter' && this.#random.chance(0.6)) {
      column.series = { ...ended, start: this.#now };
      column.value = 0;
    } else {
      this.#live.delete(keyOf(ended));
      group.columns = group.columns.filter((one) => one !== column);
    }
    group.series = group.columns.map(({ series }) => series);
    if (group.columns.length === 0) this.#groups.splice(this.#groups.indexOf(group), 1);
    return [ended];
  }
}

function keyOf({ metric, resource, attributes }: Series): string {
  return JSON.stringify([metric.name, resource.attributes, attributes]);
}
