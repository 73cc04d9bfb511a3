import assert from 'node:assert/strict';
import { openSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import type { CounterGroup } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';
import { openPerfGroups, openSummedGroup, PerfGroup, SummedGroup } from './perf-counters.js';

const counter: PerfCounter = {
  domain: { kind: 'package', package: 0 },
  event: 'energy-pkg',
  type: 1,
  config: 0,
  cpu: 0,
  scale: 2 ** -32,
  maxWatts: 2_000,
};
const joule = 2n ** 32n;
const second = 1_000_000_000n;

/** Successive results of the kernel: the running time, and one value per counter. */
function createGroup(reads: readonly (readonly bigint[])[]): PerfGroup {
  const path = join(createFolder(), 'reads');
  const words = reads.flatMap(([running = 0n, ...values]) => [
    BigInt(values.length),
    running,
    running,
    ...values,
  ]);
  writeFileSync(path, new Uint8Array(BigUint64Array.from(words).buffer));
  const fd = openSync(path, 'r');
  return new PerfGroup(
    Array.from({ length: (reads[0]?.length ?? 2) - 1 }, () => counter),
    [fd],
  );
}

/** One reading: joules, "gap" or "reset". */
function readOnce(group: PerfGroup): readonly number[] | 'gap' | 'reset' {
  const values = new Float64Array(group.counters.length);
  const isSame = group.read(values, 0);
  if (group.gaps === 0) return isSame ? [...values] : 'reset';
  assert.deepEqual([isSame, ...values], [true, ...values.fill(NaN)]);
  return 'gap';
}

function readAll(group: PerfGroup, times: number): unknown[] {
  const results = Array.from({ length: times }, () => readOnce(group));
  group.close();
  return results;
}

test('PerfGroup counts every counter from 0 at the first reading', () => {
  const group = createGroup([
    [second, 7n * joule, 100n * joule],
    [2n * second, 9n * joule, 100n * joule + joule / 4n],
  ]);
  assert.deepEqual(readAll(group, 2), [
    [0, 0],
    [2, 0.25],
  ]);
});

test('PerfGroup subtracts before it rounds', () => {
  // As doubles the two numbers would be equal.
  const first = 2n ** 63n + 1n;
  const group = createGroup([
    [second, first],
    [2n * second, first + 1n],
    [3n * second, first + joule + 3n],
  ]);
  assert.deepEqual(readAll(group, 3), [[0], [2 ** -32], [1 + 3 * 2 ** -32]]);
});

test('PerfGroup carries between the halves of a count', () => {
  const group = createGroup([
    [second, 2n ** 32n - 1n],
    [2n * second, 2n ** 32n + 1n],
  ]);
  assert.deepEqual(readAll(group, 2), [[0], [2 * 2 ** -32]]);
});

test('PerfGroup has a gap when the kernel returns no bytes', () => {
  assert.deepEqual(readAll(createGroup([[second, 5n]]), 2), [[0], 'gap']);
});

test('PerfGroup has a gap when the kernel returns too few bytes', () => {
  const group = createGroup([[second, 5n], [2n * second]]);
  assert.deepEqual(readAll(group, 2), [[0], 'gap']);
});

test('PerfGroup has a gap when the event was not counted since the last reading', () => {
  const group = createGroup([
    [second, 5n * joule],
    [second, 5n * joule],
    [3n * second, 6n * joule],
  ]);
  assert.deepEqual(readAll(group, 3), [[0], 'gap', [1]]);
});

test('PerfGroup reports a reset when a counter grew by more than its domain can draw', () => {
  const reads = [
    [second, 0n],
    [2n * second, 262_144n * joule],
    [3n * second, 262_244n * joule],
    [4n * second, 262_344n * joule],
  ];
  const group = createGroup(reads);
  const [id] = group.ids;
  assert.deepEqual(readAll(group, 4), [[0], 'reset', [100], [200]]);
  assert.notEqual(group.ids[0], id);
});

/** Number of counters in each group. */
function countOpened(counters: readonly PerfCounter[]): number[] {
  return openPerfGroups(counters, []).map((group) => {
    group.close();
    return group.counters.length;
  });
}

test('openPerfGroups reads all counters of a CPU by one call', { skip: perfRefused }, () => {
  assert.deepEqual(countOpened([counter, counter, counter]), [3]);
});

const hasOneCpu = availableParallelism() < 2 && 'needs two CPUs';

test(
  'openPerfGroups reads separately the counters that the kernel does not group',
  { skip: perfRefused || hasOneCpu },
  () => {
    // It refuses a member on another CPU than the leader's.
    const elsewhere = { ...counter, cpu: 1 };
    assert.deepEqual(countOpened([counter, elsewhere, counter, elsewhere]), [2, 2]);
  },
);

const sum: PerfCounter = {
  domain: { kind: 'core', package: 0 },
  event: 'energy-core',
  type: 1,
  config: 0,
  cpu: 0,
  cpus: [0, 1],
  scale: 2 ** -32,
  maxWatts: 2_000,
};

/** A core with counts set by the test. */
class FakeCore implements CounterGroup {
  readonly places = [];
  readonly ids = [0];
  gaps = 0;
  isCounting = true;
  joules = 0;
  isPossible = true;
  reads = 0;
  closes = 0;
  #first = 0;

  read(values: Float64Array, at: number): boolean {
    this.reads++;
    values[at] = this.isCounting ? this.joules - this.#first : NaN;
    const isPossible = this.isPossible;
    this.isPossible = true;
    return isPossible;
  }

  ageMs(): number {
    return 0;
  }

  restart(): void {
    this.#first = this.joules;
  }

  close(): void {
    this.closes++;
  }
}

function createSum() {
  const [first, other] = [new FakeCore(), new FakeCore()];
  let nowMs = 0;
  const group = new SummedGroup(sum, [first, other], () => nowMs);
  const values = new Float64Array(1);
  const read = (ms: number): number | 'gap' | 'reset' => {
    nowMs = ms;
    const isSame = group.read(values, 0);
    assert.equal(Number.isNaN(values[0]), group.gaps > 0);
    return group.gaps > 0 ? 'gap' : isSame ? values[0] : 'reset';
  };
  return { first, other, group, read };
}

test('SummedGroup returns the energy of all cores', () => {
  const { first, other, read } = createSum();
  assert.equal(read(0), 0);
  [first.joules, other.joules] = [5, 7];
  assert.equal(read(1_000), 12);
});

test('SummedGroup wakes the cores at most ten times a second', () => {
  const { first, read } = createSum();
  read(0);
  first.joules = 5;
  assert.deepEqual([read(50), read(99), read(100), read(150)], [0, 0, 5, 5]);
  assert.equal(first.reads, 2);
});

test('SummedGroup has a gap when one of the cores is offline', () => {
  const { first, other, group, read } = createSum();
  read(0);
  other.isCounting = false;
  assert.deepEqual([read(100), read(150)], ['gap', 'gap']);
  assert.equal(group.gaps, 1);
  other.isCounting = true;
  first.joules = 3;
  assert.equal(read(200), 3);
});

test('SummedGroup restarts at 0 under another id when one of the cores was reset', () => {
  const { first, other, group, read } = createSum();
  read(0);
  const [id] = group.ids;
  [first.joules, other.joules, other.isPossible] = [100, 200, false];
  assert.equal(read(1_000), 'reset');
  assert.notEqual(group.ids[0], id);
  [first.joules, other.joules] = [101, 203];
  assert.equal(read(2_000), 4);
});

test('SummedGroup closes every core', () => {
  const { first, other, group } = createSum();
  group.close();
  assert.deepEqual([first.closes, other.closes], [1, 1]);
});

test('openSummedGroup counts on every given CPU', { skip: perfRefused || hasOneCpu }, (t) => {
  const group = openSummedGroup(sum, [0, 1]);
  t.after(() => group.close());
  const values = new Float64Array(1);
  assert.equal(group.read(values, 0), true);
  assert.equal(values[0], 0);
  assert.throws(() => openSummedGroup(sum, [0, 4095]), /energy-core" on cpu 4095/);
});
