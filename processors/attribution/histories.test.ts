import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementAt } from '../../src/element.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { MeteredGrowth } from './metered-growth.fixture.js';
import { playRandomHistory } from './random-history.fixture.js';
import type { Rig } from './rig.fixture.js';
import { UnreliableRig } from './unreliable-rig.fixture.js';

const histories = Number(process.env['JOULEMETRY_TEST_RUNS'] ?? 200);
const firstSeed = Number(process.env['JOULEMETRY_TEST_SEED'] ?? 1);

const views = ['process', 'program', 'cgroup', 'container'];
const viewMetrics = ['process.energy', 'program.energy', 'linux.cgroup.energy', 'container.energy'];

/** State of the ledger's counters in a pipeline: those that ended keep their last value. */
class Sums {
  readonly #values = new Map<Series, number>();
  readonly #ended = new Set<Series>();

  /** Checks each row: no counter falls, no ended one returns, all views equal the attributed total, no residual. */
  take(table: Table): void {
    for (const [i, value] of table.values.entries()) {
      const { metric } = elementAt(table.series, i % table.series.length);
      if (metric.name === 'attribution.residual') assert.equal(value, 0);
    }
    const columns = table.series.filter(isOfLedger);
    for (const series of columns) assert.ok(!this.#ended.has(series), `${series.metric.name} after its end`);
    for (let row = 0; columns.length > 0 && row < table.offsets.length; row++) this.#takeRow(table, row);
    for (const series of table.ended ?? []) this.#ended.add(series);
  }

  #takeRow({ series, values }: Table, row: number): void {
    for (const [i, one] of series.entries()) {
      if (!isOfLedger(one)) continue;
      const value = elementAt(values, row * series.length + i);
      assert.ok(value >= (this.#values.get(one) ?? 0), `${one.metric.name} fell to ${value} J`);
      this.#values.set(one, value);
    }
    const hwType = series.find(isOfLedger)?.attributes['hw.type'];
    const attributed = this.sum((one) => one.attributes['ledger.part'] === 'attributed', hwType);
    for (const metric of viewMetrics) {
      const sum = this.sum((one) => one.metric.name === metric, hwType);
      assert.ok(isClose(sum, attributed), `${metric} of ${hwType}: ${sum} J of ${attributed} J`);
    }
  }

  sum(isCounted: (series: Series) => boolean, hwType: unknown): number {
    let sum = 0;
    for (const [series, value] of this.#values) {
      if (series.attributes['hw.type'] === hwType && isCounted(series)) sum += value;
    }
    return sum;
  }
}

function isOfView({ metric }: Series): boolean {
  return viewMetrics.includes(metric.name);
}

function isOfLedger(series: Series): boolean {
  return series.metric.name === 'ledger.energy' || isOfView(series);
}

/** Each published double is rounded once; sums may differ slightly for each. */
function isClose(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-12 * Math.max(1, expected);
}

/** The tables of each ledger: where the clock was set back or the processor replaced, a new one began. */
function splitLedgers({ out, replacedAt }: Rig): readonly (readonly Table[])[] {
  const ledgers: Table[][] = [[]];
  const lastAt = new Map<unknown, bigint>();
  for (const [i, { series, ended = [], ...rest }] of out.tables.entries()) {
    if (replacedAt.includes(i)) {
      ledgers.push([]);
      lastAt.clear();
    }
    const own = { ...rest, series, ended: ended.filter(isPublished) };
    const isOwn = series.some(isPublished);
    if (!isOwn && own.ended.length === 0) continue;
    if (!isOwn) {
      ledgers.at(-1)?.push({ ...own, series: [], offsets: new Float64Array(0), values: new Float64Array(0) });
      continue;
    }
    const kind = series[0].attributes['hw.type'];
    if (rest.epoch <= (lastAt.get(kind) ?? 0n)) {
      ledgers.push([]);
      lastAt.clear();
    }
    lastAt.set(kind, rest.epoch + BigInt(rest.offsets.at(-1) ?? 0));
    ledgers.at(-1)?.push(own);
  }
  return ledgers;
}

function isPublished(series: Series): boolean {
  return isOfLedger(series) || series.metric.name.startsWith('attribution.');
}

/** Checks that every series of a group without workloads has ended. A replaced processor ends none. */
function checkEnds({ out, replacedAt }: Rig): void {
  const tables = out.tables.slice(replacedAt.at(-1) ?? 0);
  const live = new Set(tables.flatMap(({ series }) => series.filter(isOfView)));
  for (const { ended = [] } of tables) for (const series of ended) live.delete(series);
  const left = [...live].filter(({ resource }) => !Object.values(resource.attributes).includes('other'));
  assert.deepEqual(left, []);
}

/** The weight by which energy is shared; for memory by default the available counts. */
const weightings: readonly (readonly object[])[] = [
  [],
  [{ hw_type: 'cpu', model: 'frequency_cpu_time' }],
  [
    { hw_type: 'cpu', model: 'frequency_cpu_time', gamma: 2.5 },
    { hw_type: 'memory', model: 'cpu_time' },
  ],
  [{ hw_type: 'cpu', counters: ['cycles'], max_error: 100 }],
  [{ model: 'dram' }],
];

interface History {
  /** The weights by which its energy was shared. */
  readonly models: readonly string[];
  /** The reasons for which energy was not attributed. */
  readonly reasons: readonly string[];
}

function checkHistory(seed: number): History {
  const idle = elementAt(['separate', 'proportional', 'equal'], seed % 3);
  const limit = elementAt([0, 2, 50], Math.floor(seed / 3) % 3);
  const floor = seed % 2 === 0 ? [{ hw_type: 'cpu', power: 5 }] : [];
  const weights = elementAt(weightings, seed % weightings.length);
  const rig = new UnreliableRig(seed, {
    views,
    idle,
    floor,
    weights,
    process_limit: limit,
    group_limit: limit,
  });
  playRandomHistory(rig, seed, 20);
  void rig.processor.shutdown();
  assert.deepEqual(
    rig.logLines.filter((line) => line.startsWith('error')),
    [],
  );
  const sums = new Sums();
  for (const table of rig.out.tables) sums.take(table);
  for (const hwType of ['cpu', 'memory', 'gpu']) {
    const booked = sums.sum(({ metric }) => metric.name === 'ledger.energy', hwType);
    const { leastJ, mostJ } = new MeteredGrowth(hwType, rig.out.tables, rig.replacedAt);
    const isBooked = booked <= mostJ + 1e-6 && booked >= leastJ - 1e-6;
    assert.ok(isBooked, `${hwType}: booked ${booked} J of ${leastJ} to ${mostJ} J`);
  }
  for (const tables of splitLedgers(rig)) checkTables(tables);
  checkEnds(rig);
  const listUsed = (metric: string, attribute: string) =>
    rig.out.last(metric).flatMap(({ series, value }) => {
      const name = series.attributes[attribute];
      return value > 0 && name !== undefined ? [String(name)] : [];
    });
  return {
    models: listUsed('process.energy', 'energy.attribution.model'),
    reasons: listUsed('ledger.energy', 'ledger.reason'),
  };
}

test(`attribution keeps its invariants in ${histories} random histories`, () => {
  const [models, reasons] = [new Set<string>(), new Set<string>()];
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    try {
      const history = checkHistory(seed);
      for (const model of history.models) models.add(model);
      for (const reason of history.reasons) reasons.add(reason);
    } catch (error) {
      throw new Error(`Cannot keep the ledger in the history of seed ${seed}`, { cause: error });
    }
  }
  const every = [
    'cache_misses',
    'counters',
    'cpu_time',
    'frequency_cpu_time',
    'gpu_time',
    'memory_bandwidth',
  ];
  if (histories < 100) return;
  assert.deepEqual([...models].toSorted(), every);
  assert.deepEqual([...reasons].toSorted(), ['gap', 'interrupt', 'no_usage', 'unseen']);
});
