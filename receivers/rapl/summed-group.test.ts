import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import type { CounterGroup } from './energy-reader.js';
import type { PerfCounter } from './find-perf.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { openSummedGroup, SummedGroup } from './perf-counters.js';

const counter: PerfCounter = {
  domain: { kind: 'core', package: 0 },
  event: 'energy-core',
  type: 1,
  config: 0,
  cpu: 0,
  cpus: [0, 1],
  scale: 2 ** -32,
  maxWatts: 2_000,
};

/** A core that counts what the test says. */
class FakeCore implements CounterGroup {
  readonly places = [];
  readonly lives = [0];
  gaps = 0;
  isCounting = true;
  joules = 0;
  isPossible = true;
  reads = 0;
  closes = 0;
  #first = 0;

  read(values: Float64Array, at: number): boolean {
    this.reads++;
    values[at] = this.isCounting ? this.joules - this.#first : Number.NaN;
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
  const [first, second] = [new FakeCore(), new FakeCore()];
  let nowMs = 0;
  const group = new SummedGroup(counter, [first, second], () => nowMs);
  const values = new Float64Array(1);
  const read = (ms: number): number | 'gap' | 'reset' => {
    nowMs = ms;
    const isSame = group.read(values, 0);
    assert.equal(Number.isNaN(values[0]), group.gaps > 0);
    return group.gaps > 0 ? 'gap' : isSame ? values[0] : 'reset';
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
  assert.equal(first.reads, 2);
});

test('SummedGroup has a gap, when one of the cores is offline', () => {
  const { first, second, group, read } = createSum();
  read(0);
  second.isCounting = false;
  assert.deepEqual([read(100), read(150)], ['gap', 'gap']);
  assert.equal(group.gaps, 1);
  second.isCounting = true;
  first.joules = 3;
  assert.equal(read(200), 3);
});

test('SummedGroup begins another life at 0, when one of the cores was reset', () => {
  const { first, second, group, read } = createSum();
  read(0);
  const [life] = group.lives;
  [first.joules, second.joules, second.isPossible] = [100, 200, false];
  assert.equal(read(1_000), 'reset');
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
  assert.equal(group.read(values, 0), true);
  assert.equal(values[0], 0);
  assert.throws(() => openSummedGroup(counter, [0, 4095]), /energy-core" on cpu 4095/);
});
