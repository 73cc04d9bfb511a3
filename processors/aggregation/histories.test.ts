import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables, sumLastValues } from '../../src/model/check-tables.js';
import type { Series } from '../../src/model/series.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { counter, createAggregation, gauge, seriesOf } from './aggregation.fixture.js';

const windowS = 10;

/** What happens to a counter and a gauge: time passes, the counter grows, and there is a reading, a gap or a reset. */
const histories = fc.array(
  fc.record({
    passedMs: fc.integer({ min: 1, max: 9000 }),
    growth: fc.integer({ min: 0, max: 1_000_000 }),
    what: fc.constantFrom('reading', 'reading', 'reading', 'gap', 'reset'),
  }),
  { minLength: 1, maxLength: 60 },
);

interface Reading {
  readonly atS: number;
  /** What the counter has counted through all resets. */
  readonly total: number;
  readonly watts: number;
}

/** Plays a history. @returns the readings */
function play(
  history: typeof histories extends fc.Arbitrary<infer History> ? History : never,
  { feed, end }: Pick<ReturnType<typeof createAggregation>, 'feed' | 'end'>,
): readonly Reading[] {
  const power = seriesOf(gauge('power'));
  let energy: readonly Series[] = [seriesOf(counter('energy'), {}, 1), power];
  let [atS, count, total] = [1, 0, 0];
  const readings: Reading[] = [];
  feed(atS, energy, [0, 0]);
  readings.push({ atS, total, watts: 0 });
  for (const { passedMs, growth, what } of history) {
    atS = Math.round(atS * 1000 + passedMs) / 1000;
    if (what === 'reset') {
      end(atS, [energy[0]]);
      energy = [seriesOf(counter('energy'), {}, atS), power];
      count = 0;
      continue;
    }
    count += growth;
    total += growth;
    feed(atS, energy, what === 'gap' ? [NaN, NaN] : [count, growth]);
    if (what === 'reading') readings.push({ atS, total, watts: growth });
    else {
      count -= growth;
      total -= growth;
    }
  }
  return readings;
}

test('aggregation loses and invents no joule in any history', () => {
  holdsFor(histories, (history) => {
    const one = createAggregation({
      aggregations: [{ metrics: ['energy'], functions: ['sum', 'last', 'max', 'p50'] }],
    });
    const readings = play(history, one);
    void one.processor.shutdown();
    checkTables(one.out.tables);
    const total = readings.at(-1)?.total ?? NaN;
    const sums = one.rows('energy.sum').reduce((sum, [, joules]) => sum + joules, 0);
    assert.ok(Math.abs(sums - total) <= 1e-9 * total, `expected ${total} J, found ${sums} J`);
    const last = sumLastValues(one.out.tables, 'energy');
    assert.ok(Math.abs(last - total) <= 1e-15 * total, `expected ${total} J, found ${last} J`);
  });
});

function sumOf(list: readonly number[]): number {
  return list.reduce((sum, watts) => sum + watts, 0);
}

test('aggregation of gauges agrees with lists of their readings', () => {
  holdsFor(histories, (history) => {
    const one = createAggregation({
      aggregations: [{ metrics: ['power'], functions: ['sum', 'mean', 'min', 'max', 'last'] }],
    });
    const readings = play(history, one);
    void one.processor.shutdown();
    const windows = [...new Set(readings.map(({ atS }) => Math.ceil(atS / windowS)))];
    const lists = windows.map((window) =>
      readings.filter(({ atS }) => Math.ceil(atS / windowS) === window).map(({ watts }) => watts),
    );
    const valuesOf = (name: string) => one.rows(name).map(([, value]) => value);
    assert.deepEqual(valuesOf('power.sum'), lists.map(sumOf));
    assert.deepEqual(
      valuesOf('power.mean'),
      lists.map((list) => sumOf(list) / list.length),
    );
    assert.deepEqual(
      valuesOf('power.min'),
      lists.map((list) => Math.min(...list)),
    );
    assert.deepEqual(
      valuesOf('power.max'),
      lists.map((list) => Math.max(...list)),
    );
    assert.deepEqual(
      valuesOf('power'),
      lists.map((list) => list.at(-1)),
    );
  });
});
