import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import { MappedSeries, Readings, type Member, type Reduction } from './mapped-series.js';
import type { MetricKind } from './series.js';

function mappedOf(kind: MetricKind, start = 0n, reduction?: Reduction): MappedSeries {
  const metric = { name: 'a', unit: 'J', description: '', kind, valueType: 'double' } as const;
  return new MappedSeries({ metric, resource: { attributes: {} }, attributes: {}, start }, reduction);
}

function take(mapped: MappedSeries, member: Member, value: number): void {
  mapped.take(member, Float64Array.of(value), 0);
}

function sumAt(mapped: MappedSeries, at: number): number {
  const values = new Float64Array(1);
  mapped.write(Float64Array.of(at), values, 0);
  return values[0];
}

test('MappedSeries is plain while one member from its start speaks alone', () => {
  const mapped = mappedOf('counter', 5n);
  const first = mapped.join(5n);
  assert.ok(mapped.isPlain);
  const second = mapped.join(5n);
  assert.equal(mapped.isPlain, false);
  mapped.leave(second);
  assert.ok(mapped.isPlain, 'the second one had counted nothing');
  take(mapped, first, 3);
  mapped.leave(first);
  mapped.join(5n);
  assert.equal(mapped.isPlain, false, 'what the first one counted stays in the sum');
});

test('MappedSeries counts a member that began before it from its first reading', () => {
  const mapped = mappedOf('counter', 5n);
  const earlier = mapped.join(4n);
  take(mapped, earlier, 100);
  assert.equal(sumAt(mapped, 1), 0);
  take(mapped, earlier, 107);
  assert.equal(sumAt(mapped, 2), 7);
  const level = mappedOf('updowncounter', 5n);
  take(level, level.join(4n), 100);
  assert.equal(sumAt(level, 1), 100, 'a level is what it is');
});

test('MappedSeries keeps what an ended counter had counted, and loses the level that ended', () => {
  for (const [kind, expected] of [
    ['counter', 9],
    ['updowncounter', 2],
  ] as const) {
    const mapped = mappedOf(kind);
    const [one, other] = [mapped.join(0n), mapped.join(0n)];
    take(mapped, one, 7);
    take(mapped, other, 2);
    assert.equal(sumAt(mapped, 1), 9);
    mapped.leave(one);
    take(mapped, other, 2);
    assert.equal(sumAt(mapped, 2), expected, kind);
    mapped.leave(other);
    assert.ok(mapped.isEmpty);
  }
});

test('MappedSeries reduces gauges and levels to their sum, mean, least or greatest', () => {
  for (const kind of ['gauge', 'updowncounter'] as const) {
    for (const [reduction, expected] of [
      ['sum', 12],
      ['mean', 4],
      ['min', 1],
      ['max', 9],
    ] as const) {
      const mapped = mappedOf(kind, 0n, reduction);
      const members = [mapped.join(0n), mapped.join(0n), mapped.join(0n)];
      for (const [i, value] of [2, 9, 1].entries()) take(mapped, members[i], value);
      assert.equal(sumAt(mapped, 1), expected, `${reduction} of ${kind}`);
      mapped.leave(members[2]);
      take(mapped, members[0], 3);
      assert.equal(sumAt(mapped, 2), { sum: 12, mean: 6, min: 3, max: 9 }[reduction], 'one has left');
    }
  }
});

test('MappedSeries has a gap in the sum and mean where one gauge has one, and the least and greatest of the others', () => {
  for (const [reduction, expected] of [
    ['sum', NaN],
    ['mean', NaN],
    ['min', 2],
    ['max', 2],
  ] as const) {
    const mapped = mappedOf('gauge', 0n, reduction);
    const [one, other] = [mapped.join(0n), mapped.join(0n)];
    take(mapped, one, NaN);
    take(mapped, other, 2);
    assert.equal(sumAt(mapped, 1), expected, reduction);
    take(mapped, one, 5);
    take(mapped, other, 3);
    assert.equal(sumAt(mapped, 2), { sum: 8, mean: 4, min: 3, max: 5 }[reduction], reduction);
  }
});

test('MappedSeries sums counters, whatever it is asked for', () => {
  const mapped = mappedOf('counter', 0n, 'max');
  const [one, other] = [mapped.join(0n), mapped.join(0n)];
  take(mapped, one, 5);
  take(mapped, other, 3);
  assert.equal(sumAt(mapped, 1), 8);
});

test('MappedSeries has no value for a row without a reading, or older than the last one', () => {
  const mapped = mappedOf('counter');
  const member = mapped.join(0n);
  assert.equal(sumAt(mapped, 1), NaN);
  take(mapped, member, NaN);
  assert.equal(sumAt(mapped, 2), NaN);
  take(mapped, member, 3);
  assert.equal(sumAt(mapped, 3), 3);
  assert.equal(sumAt(mapped, 3.5), NaN, 'the reading was that of the row before');
  take(mapped, member, 4);
  assert.equal(sumAt(mapped, 2), NaN);
  assert.equal(sumAt(mapped, 4), 4, 'the reading is in the next sum');
});

test('MappedSeries has one speaker for gauges, the next one when it leaves', () => {
  const mapped = mappedOf('gauge');
  const [one, other] = [mapped.join(0n), mapped.join(0n)];
  assert.deepEqual([mapped.isChosen, mapped.isFirst(one), mapped.isFirst(other)], [true, true, false]);
  mapped.leave(one);
  assert.ok(mapped.isFirst(other));
});

/** What may happen to a sum of counters: a member joins, counts or leaves. */
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('join' as const) }),
  fc.record({
    kind: fc.constant('count' as const),
    which: fc.nat(9),
    more: fc.double({ min: 0, max: 1e6, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat(9) }),
);

test('a sum of counters never falls, and has what each of its members counted', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const mapped = mappedOf('counter');
      const members: { readonly member: Member; count: number }[] = [];
      let total = 0;
      let before = 0;
      for (const [at, step] of steps.entries()) {
        if (step.kind === 'join') members.push({ member: mapped.join(0n), count: 0 });
        const one = step.kind === 'join' ? members.at(-1) : members[step.which % Math.max(1, members.length)];
        if (one === undefined) continue;
        if (step.kind === 'count') {
          one.count += step.more;
          total += step.more;
        }
        if (step.kind === 'leave') {
          mapped.leave(one.member);
          members.splice(members.indexOf(one), 1);
          continue;
        }
        take(mapped, one.member, one.count);
        const sum = sumAt(mapped, at);
        assert.ok(sum >= before, `${sum} after ${before}`);
        assert.ok(Math.abs(sum - total) <= 1e-9 * total, `${sum}, expected ${total}`);
        before = sum;
      }
    }),
  );
});

test('MappedSeries forgets a member that left before its first reading', () => {
  const mapped = mappedOf('counter', 5n);
  const own = mapped.join(5n);
  const earlier = mapped.join(4n);
  mapped.leave(earlier);
  assert.ok(mapped.isPlain);
  take(mapped, own, 3);
  assert.equal(sumAt(mapped, 1), 3);
});

test('MappedSeries is not plain for a counter that began before it, but for a level that did', () => {
  for (const [kind, isPlain] of [
    ['counter', false],
    ['updowncounter', true],
    ['gauge', true],
  ] as const) {
    const mapped = mappedOf(kind, 5n);
    mapped.join(4n);
    assert.equal(mapped.isPlain, isPlain, kind);
  }
});

test('MappedSeries sums rows of one instant, as of members in two tables', () => {
  const mapped = mappedOf('updowncounter');
  const [one, other] = [mapped.join(0n), mapped.join(0n)];
  take(mapped, one, -3);
  assert.equal(sumAt(mapped, 1), -3);
  take(mapped, other, 1);
  assert.equal(sumAt(mapped, 1), -2);
});

test('a sum of levels is that of its live members', () => {
  holdsFor(fc.array(fc.tuple(fc.nat(4), fc.option(fc.integer())), { minLength: 1 }), (steps) => {
    const mapped = mappedOf('updowncounter');
    const live = new Map<number, { readonly member: Member; readonly level: number }>();
    for (const [at, [which, level]] of steps.entries()) {
      const member = live.get(which)?.member ?? mapped.join(BigInt(at));
      live.set(which, { member, level: level ?? 0 });
      take(mapped, member, level ?? 0);
      const expected = [...live.values()].reduce((sum, one) => sum + one.level, 0);
      assert.equal(sumAt(mapped, at), expected);
      if (level !== null) continue;
      mapped.leave(member);
      live.delete(which);
      assert.equal(mapped.isEmpty, live.size === 0);
    }
  });
});

test('Readings take over what a member read last, and when its row was passed on', () => {
  const mapped = mappedOf('counter');
  const member = mapped.join(0n);
  const before = member.readings;
  take(mapped, member, 5);
  before.at = 7;
  const readings = new Readings(3);
  readings.adopt(member, 2);
  assert.deepEqual([...readings.values], [NaN, NaN, 5]);
  assert.equal(readings.at, 7);
  take(mapped, member, 6);
  assert.deepEqual([...readings.values], [NaN, NaN, 6]);
  assert.equal(before.values[0], 5);
  assert.equal(sumAt(mapped, 8), 6);
});

test('MappedSeries has no value older than what its only member said, when that has left', () => {
  const mapped = mappedOf('counter');
  const first = mapped.join(0n);
  take(mapped, first, 5);
  first.readings.at = 10;
  mapped.leave(first);
  const second = mapped.join(0n);
  take(mapped, second, 1);
  assert.equal(sumAt(mapped, 9), NaN);
  assert.equal(sumAt(mapped, 11), 6);
});

test('MappedSeries has no value for what a member said alone, when that is in a sum already', () => {
  const mapped = mappedOf('counter');
  const first = mapped.join(0n);
  take(mapped, first, 5);
  first.readings.at = 10;
  const second = mapped.join(0n);
  assert.equal(sumAt(mapped, 10), 5);
  mapped.leave(second);
  mapped.join(0n);
  assert.equal(sumAt(mapped, 11), NaN);
});

test('MappedSeries does not fall by the rounding of another order, when a member leaves', () => {
  const mapped = mappedOf('counter');
  const counts = [0.1, 0.1, 0.4];
  const members = counts.map((count) => {
    const member = mapped.join(0n);
    take(mapped, member, count);
    return member;
  });
  const before = sumAt(mapped, 1);
  const [, , leaving] = members;
  assert.ok(leaving);
  mapped.leave(leaving);
  const other = members.find((member) => member !== leaving);
  assert.ok(other);
  take(mapped, other, other.readings.values[other.column]);
  assert.equal(sumAt(mapped, 2), before);
});

test('MappedSeries keeps the readings of its members only, and takes others after the first has left', () => {
  const mapped = mappedOf('counter');
  const [readings, others] = [new Readings(8), new Readings(8)];
  const first = mapped.join(0n, readings, 3);
  const second = mapped.join(0n, others, 4);
  take(mapped, first, 2);
  take(mapped, second, 5);
  mapped.leave(first);
  assert.notEqual(first.readings, readings);
  const third = mapped.join(0n, readings, 5);
  assert.notEqual(third, first);
  take(mapped, third, 1);
  assert.equal(sumAt(mapped, 1), 8);
  assert.deepEqual([readings.values[5], others.values[4]], [1, 5]);
});
