import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { ScaledCounts, type CountedGroup } from './scaled-counts.js';

/** A group of one counter whose growth is set by a test. */
class FakeGroup implements CountedGroup {
  readonly width = 1;
  error: string | undefined;
  #count = 0;
  enabledNs = 0;
  runningNs = 0;
  isClosed = false;

  grow(count: number, enabledMs: number, runningMs = enabledMs): void {
    this.#count = count;
    this.enabledNs = enabledMs * 1e6;
    this.runningNs = runningMs * 1e6;
  }

  read(): boolean {
    return this.error === undefined;
  }

  countOf(): number {
    return this.#count;
  }

  rebase(): void {}

  close(): void {
    this.isClosed = true;
  }
}

function createCounts(parts = 1) {
  const groups = Array.from({ length: parts }, () => new FakeGroup());
  const counts = new ScaledCounts(groups, true);
  const [first] = groups;
  const readAfter = (...growth: [count: number, enabledMs: number, runningMs?: number]) => {
    first.grow(...growth);
    counts.read();
    return counts.totals[0];
  };
  return { groups, counts, readAfter };
}

test('read adds counts that always ran exactly, beyond 32 bits', () => {
  const { readAfter, counts } = createCounts();
  assert.deepEqual(
    [readAfter(0, 0), readAfter(2 ** 40 + 1, 1000), readAfter(3, 1), readAfter(2 ** 52, 5000)],
    [0, 2 ** 40 + 1, 2 ** 40 + 4, 2 ** 52 + 2 ** 40 + 4],
  );
  assert.deepEqual([counts.enabledNs, counts.runningNs], [5001e6, 5001e6]);
});

test('read has no value while a group cannot be read, and loses no count', () => {
  const { groups, counts, readAfter } = createCounts();
  assert.equal(readAfter(100, 500), 100);
  groups[0].error = 'EISDIR';
  assert.equal(readAfter(7, 500), NaN);
  assert.deepEqual([counts.error, counts.lastTotals[0]], ['EISDIR', 100]);
  groups[0].error = undefined;
  assert.equal(readAfter(20, 500), 120);
  assert.equal(counts.error, undefined);
});

test('read scales the growth, not the whole count, when groups are multiplexed', () => {
  const { readAfter } = createCounts();
  // First four times the count, then exactly the count: the first window keeps its estimate.
  assert.equal(readAfter(250, 1000, 250), 1000);
  assert.equal(readAfter(500, 1000), 1500);
  assert.equal(readAfter(100, 1000, 500), 1700);
});

test('read holds its value instead of decreasing when an estimate within a window was too large', () => {
  const { readAfter } = createCounts();
  assert.equal(readAfter(100, 100, 25), 400);
  // The scale of the previous window holds until the end of this one, in which the group always ran.
  assert.equal(readAfter(50, 50), 600);
  assert.equal(readAfter(50, 50), 600);
  assert.equal(readAfter(100, 100), 600);
  assert.equal(readAfter(100, 100), 700);
});

test('read has no value, when nothing was counted though it should have been', () => {
  const { readAfter, counts } = createCounts();
  assert.equal(readAfter(0, 0), 0);
  assert.equal(readAfter(0, 500, 0), NaN);
  assert.equal(counts.isStarved, false);
  assert.equal(readAfter(0, 500, 0), NaN);
  assert.equal(counts.isStarved, true);
  assert.equal(readAfter(10, 1000, 1000), 20);
  assert.equal(counts.isStarved, false);
});

test('read keeps its value while other groups are scheduled, and counts when its own group is', () => {
  const { readAfter } = createCounts();
  assert.equal(readAfter(100, 100), 100);
  assert.equal(readAfter(0, 200, 0), 100);
  assert.equal(readAfter(50, 100), 250);
});

test('read combines kinds of cores: a process runs on one or the other', () => {
  const { groups, counts } = createCounts(2);
  groups[0].grow(300, 1000, 750);
  groups[1].grow(50, 1000, 250);
  counts.read();
  assert.deepEqual([...counts.totals], [300, 50]);
  assert.deepEqual([counts.enabledNs, counts.runningNs], [1e9, 1e9]);
  counts.close();
  assert.deepEqual(
    groups.map(({ isClosed }) => isClosed),
    [true, true],
  );
});

test('read never decreases and ends at the sum of the windows, for any schedule', () => {
  const tick = fc.record({
    count: fc.nat(1e6),
    enabledMs: fc.nat(300),
    share: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(tick), (ticks) => {
      const { readAfter } = createCounts();
      let [last, sum] = [0, 0];
      for (const { count, enabledMs, share } of ticks) {
        const value = readAfter(enabledMs === 0 ? 0 : count, enabledMs, enabledMs * share);
        assert.ok(value >= last && Number.isInteger(value), `${value} after ${last}`);
        last = value;
        sum += enabledMs === 0 ? 0 : count;
      }
      assert.ok(last >= sum, `${last} is less than was counted, ${sum}`);
    }),
  );
});
