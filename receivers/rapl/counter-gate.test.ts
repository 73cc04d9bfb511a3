import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import type { Series } from '../../src/model/series.js';
import { createEnding } from '../../src/model/table.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { CounterGate } from './counter-gate.js';
import type { Domain } from './domain.js';

const second = 1_000_000_000n;
const begin = 1_700_000_000n * second;

interface Counter {
  readonly domain: Domain;
  /** Initial value of the counter in joules. */
  readonly shown: number;
}

const packageDomain: Domain = { kind: 'package', package: 0 };
const dram: Domain = { kind: 'dram', package: 0 };
const die = (number: number): Domain => ({ kind: 'dram', package: 0, die: number });

/** A gate before simulated counters. Rows come once a second. */
function open(counters: readonly Counter[], owners: Readonly<Record<string, string>> = {}) {
  const log = createLogCollector();
  const next = createTableCollector();
  const joules = counters.map(() => 0);
  let seconds = 0;
  const claims = { ...freeClaims, claim: (key: string) => owners[key] };
  const microjoules = (column: number) =>
    Math.round(((counters[column]?.shown ?? 0) + (joules[column] ?? 0)) * 1e6);
  const gate = new CounterGate(createFakeContext({ log, claims }), next, {
    onChange: () => {},
    readCounter: (path) => microjoules(Number(path)),
    nowMs: () => seconds * 1_000,
  });
  const describe = () =>
    gate.describe(
      {
        interface: 'powercap',
        domains: counters.map(({ domain }) => domain),
        sources: counters.map((_, column) => `zone ${column}`),
        paths: counters.map((_, column) => String(column)),
        hasCounted: counters.map(({ shown }) => shown > 0),
        agesMs: counters.map(() => 0),
        left: [],
        resets: 0,
        reset: [],
        events: [],
        notes: [],
      },
      begin + BigInt(seconds) * second,
    );
  let series = describe();
  let bases = joules.map(() => 0);
  const row = (...growth: readonly number[]) => {
    growth.forEach((one, column) => (joules[column] = (joules[column] ?? 0) + one));
    const values = Float64Array.from(joules, (one, column) => one - (bases[column] ?? 0));
    gate.consume({
      series,
      epoch: begin + BigInt(seconds) * second,
      offsets: new Float64Array(1),
      values,
    });
    seconds++;
  };
  const reset = () => {
    gate.consume(createEnding(series, begin + BigInt(seconds) * second));
    bases = [...joules];
    series = describe();
  };
  const wait = (count: number) => (seconds += count);
  return { gate, next, log, row, reset, wait, totals: () => sumUp(next.tables) };
}

/** For each domain, the final total of all its series, and the start of the first of them in seconds. */
function sumUp(tables: ReturnType<typeof createTableCollector>['tables']): Record<string, [number, number]> {
  const last = new Map<Series, number>();
  for (const { series, values } of tables) {
    values.forEach((value, cell) => {
      const one = series[cell % series.length];
      if (one !== undefined && !Number.isNaN(value)) last.set(one, value);
    });
  }
  const totals: Record<string, [number, number]> = {};
  for (const [{ attributes, start }, value] of last) {
    const id = String(attributes['hw.id']);
    const [sum, from] = totals[id] ?? [0, Infinity];
    const startSeconds = Number((start - begin) / second);
    totals[id] = [Math.round((sum + value) * 1e9) / 1e9, Math.min(from, startSeconds)];
  }
  return totals;
}

test('CounterGate forwards tables unchanged when every counter counts', () => {
  const { row, next } = open([
    { domain: packageDomain, shown: 7 },
    { domain: dram, shown: 8 },
  ]);
  row(0, 0);
  row(10, 1);
  assert.equal(next.tables[0]?.series, next.tables[1]?.series);
  assert.deepEqual(next.tables[1]?.values, Float64Array.of(10, 1));
});

test('CounterGate publishes a domain that was at 0 when it moves, with all its energy', () => {
  const { row, totals, next } = open([
    { domain: packageDomain, shown: 0 },
    { domain: dram, shown: 0 },
  ]);
  row(0, 0);
  row(0, 0);
  row(10, 0);
  assert.deepEqual(next.tables.flatMap(({ series }) => series).length, 1);
  row(10, 4);
  row(10, 5);
  // Both are counted from the first reading on.
  assert.deepEqual(totals(), { 'cpu-package-0': [30, 0], 'dram-0': [9, 0] });
});

test('CounterGate publishes each die when their counters were only equal at first', () => {
  const { row, totals } = open([
    { domain: die(0), shown: 100 },
    { domain: die(1), shown: 100 },
  ]);
  row(0, 0);
  for (let i = 0; i < 100; i++) row(3, 3.5);
  assert.deepEqual(totals(), { 'dram-0-die-0': [300, 0], 'dram-0-die-1': [350, 0] });
});

test('CounterGate publishes dies that show the same counter once, as their package', () => {
  const { row, totals, log } = open([
    { domain: die(0), shown: 100 },
    { domain: die(1), shown: 100 },
  ]);
  row(0, 0);
  for (let i = 0; i < 10; i++) row(3, 3);
  assert.deepEqual(totals(), { 'dram-0': [30, 0] });
  assert.deepEqual(log.lines, [
    'info: dram-0-die-0 (zone 0) and dram-0-die-1 (zone 1) show the same counter: published once, as dram-0',
  ]);
});

test('CounterGate publishes dies separately without losing joules when they moved alike at first', () => {
  const { row, totals, log, next } = open([
    { domain: die(0), shown: 100 },
    { domain: die(1), shown: 100 },
  ]);
  row(0, 0);
  for (let i = 0; i < 10; i++) row(3, 3);
  for (let i = 0; i < 10; i++) row(3, 5);
  const counted = Object.values(totals()).reduce((sum, [joules]) => sum + joules, 0);
  assert.equal(counted, 10 * (3 + 3) + 10 * (3 + 5));
  assert.match(
    log.lines.at(-1) ?? '',
    /^warn: dram-0-die-0 .* no longer show the same counter: published separately$/,
  );
  const ended = next.tables
    .flatMap((table) => table.ended ?? [])
    .map(({ attributes }) => attributes['hw.id']);
  assert.deepEqual(ended, ['dram-0']);
});

test('CounterGate decides with incomplete evidence when it has to', () => {
  const { gate, row, totals } = open([
    { domain: die(0), shown: 100 },
    { domain: die(1), shown: 100 },
  ]);
  row(0, 0);
  row(3, 4);
  assert.deepEqual(totals(), {});
  gate.settle();
  gate.settle();
  assert.deepEqual(totals(), { 'dram-0-die-0': [3, 0], 'dram-0-die-1': [4, 0] });
});

test('CounterGate ends a dead part, and publishes it again from its last value when it moves', () => {
  const { row, wait, totals, next, gate } = open([
    { domain: packageDomain, shown: 7 },
    { domain: dram, shown: 8 },
  ]);
  row(0, 0);
  row(10, 5);
  wait(60);
  row(300, 0);
  assert.deepEqual(
    gate.states.map(({ state }) => state),
    ['alive', 'dead'],
  );
  assert.deepEqual(
    next.tables.at(-1)?.ended?.map(({ attributes }) => attributes['hw.id']),
    ['dram-0'],
  );
  row(10, 2);
  row(10, 3);
  assert.deepEqual(totals(), { 'cpu-package-0': [330, 0], 'dram-0': [10, 0] });
  assert.deepEqual(next.tables.at(-1)?.values, Float64Array.of(330, 5));
});

test('CounterGate leaves out domains that another receiver publishes', () => {
  const { row, gate, totals } = open(
    [
      { domain: packageDomain, shown: 7 },
      { domain: dram, shown: 8 },
    ],
    { 'energy/memory/0': 'other' },
  );
  row(0, 0);
  row(10, 5);
  assert.deepEqual(totals(), { 'cpu-package-0': [10, 0] });
  assert.deepEqual(
    gate.states.map(({ owner }) => owner),
    [undefined, 'other'],
  );
});

const fateOfDies = fc.record({
  isAlias: fc.boolean(),
  /** For how long different counters move alike. */
  alike: fc.nat(6),
  resetAt: fc.option(fc.nat(20), { nil: undefined }),
  settleAt: fc.option(fc.nat(20), { nil: undefined }),
  shown: fc.constantFrom(0, 100),
  growths: fc.array(fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50)), { minLength: 12, maxLength: 24 }),
});

test('CounterGate counts every joule once, whatever happens to the counters', () => {
  fc.assert(
    fc.property(fateOfDies, ({ isAlias, alike, resetAt, settleAt, shown, growths }) => {
      const { gate, row, reset, totals } = open([
        { domain: packageDomain, shown: 7 },
        { domain: die(0), shown },
        { domain: die(1), shown },
      ]);
      row(0, 0, 0);
      let [packageJoules, first, other] = [0, 0, 0];
      const steps = [...growths, [1, 2, 5], [1, 2, 5], [1, 2, 5], [1, 2, 5]] as const;
      for (const [i, [whole, a, b]] of steps.entries()) {
        const growth = isAlias || i < alike ? a : b;
        row(whole, a, growth);
        [packageJoules, first, other] = [packageJoules + whole, first + a, other + growth];
        if (i === settleAt) gate.settle();
        if (i === resetAt) reset();
      }
      gate.settle();
      const counted = totals();
      assert.equal(counted['cpu-package-0']?.[0], packageJoules);
      delete counted['cpu-package-0'];
      const sum = Object.values(counted).reduce((joules, [one]) => joules + one, 0);
      assert.equal(sum, isAlias ? first : first + other);
    }),
    { numRuns: 300 },
  );
});
