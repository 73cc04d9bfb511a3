import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import type { CounterGroup } from './counter-group.js';
import type { PerfCounter } from './find-perf.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { openSummedGroup, SummedGroup } from './summed-group.js';

const counter: PerfCounter = {
  domain: { kind: 'core', package: 0 },
  event: 'energy-core',
  type: 1,
  config: 0,
  cpu: 0,
  cpus: [0, 1],
  scale: 2 ** -32,
  mostWatts: 2_000,
};

/** A core that counts what it is told. */
class FakeCore implements CounterGroup {
  readonly counters = [counter];
  readonly lives = [0];
  isCounting = true;
  joules = 0;
  isPossible = true;
  fetches = 0;
  closes = 0;
  #first = 0;

  fetch(): boolean {
    this.fetches++;
    return this.isCounting;
  }

  write(values: Float64Array, at: number): boolean {
    values[at] = this.joules - this.#first;
    const isPossible = this.isPossible;
    this.isPossible = true;
    return isPossible;
  }

  restart(): void {
    this.#first = this.joules;
  }

  close(): void {
    this.closes++;
  }
}

function createSum() {
  const [first, second] = [new FakeCore(), new FakeCore()];
  let nowMs = 0;
  const group = new SummedGroup(counter, [first, second], () => nowMs);
  const values = new Float64Array(1);
  const read = (ms: number): number | 'gap' | 'anew' => {
    nowMs = ms;
    if (!group.fetch()) return 'gap';
    return group.write(values, 0) ? values[0] : 'anew';
  };
  return { first, second, group, read };
}

test('SummedGroup gives the energy of all cores', () => {
  const { first, second, read } = createSum();
  assert.equal(read(0), 0);
  [first.joules, second.joules] = [5, 7];
  assert.equal(read(1_000), 12);
});

test('SummedGroup wakes the cores ten times a second at most', () => {
  const { first, read } = createSum();
  read(0);
  first.joules = 5;
  assert.deepEqual([read(50), read(99), read(100), read(150)], [0, 0, 5, 5]);
  assert.equal(first.fetches, 2);
});

test('SummedGroup has a gap, when one of the cores is offline', () => {
  const { first, second, group, read } = createSum();
  read(0);
  second.isCounting = false;
  assert.deepEqual([read(100), read(150)], ['gap', 'gap']);
  assert.equal(group.isCounting, false);
  second.isCounting = true;
  first.joules = 3;
  assert.equal(read(200), 3);
});

test('SummedGroup begins another life at 0, when one of the cores began anew', () => {
  const { first, second, group, read } = createSum();
  read(0);
  const [life] = group.lives;
  [first.joules, second.joules, second.isPossible] = [100, 200, false];
  assert.equal(read(1_000), 'anew');
  assert.notEqual(group.lives[0], life);
  [first.joules, second.joules] = [101, 203];
  assert.equal(read(2_000), 4);
});

test('SummedGroup closes every core', () => {
  const { first, second, group } = createSum();
  group.close();
  assert.deepEqual([first.closes, second.closes], [1, 1]);
});

const hasOneCpu = availableParallelism() < 2 && 'needs two CPUs';

test('openSummedGroup counts on every CPU that it is given', { skip: perfRefused || hasOneCpu }, (t) => {
  const group = openSummedGroup(counter, [0, 1]);
  t.after(() => group.close());
  const values = new Float64Array(1);
  assert.equal(group.fetch() && group.write(values, 0), true);
  assert.equal(values[0], 0);
  assert.throws(() => openSummedGroup(counter, [0, 4095]), /energy-core" on cpu 4095/);
});
