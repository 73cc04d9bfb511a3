import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limit, type LimitOptions, type Ranked } from './limit.js';

class Member implements Ranked {
  isShown = false;
  weight = 0;
}

function createLimit(options: Partial<LimitOptions> = {}) {
  const limit = new Limit<Member>({ places: 1, halfLifeNs: 10e9, margin: 0, ...options });
  return {
    limit,
    /** What members use in a second, which ends at this one. */
    second(atS: number, used: readonly (readonly [Member, number])[]) {
      limit.advance(atS * 1e9);
      for (const [member, amount] of used) limit.weigh(member, amount);
      return limit.rank(atS * 1e9);
    },
  };
}

test('Limit gives a place at once where there is room, and to the one that used most', () => {
  const [one, other] = [new Member(), new Member()];
  const { second } = createLimit();
  assert.deepEqual(
    second(1, [
      [one, 1],
      [other, 2],
    ]),
    [],
  );
  assert.deepEqual([one.isShown, other.isShown], [false, true]);
});

test('Limit moves a place when another member has used half as much again, what is old counting less', () => {
  const [one, other] = [new Member(), new Member()];
  const { second } = createLimit();
  second(0, [
    [one, 100],
    [other, 90],
  ]);
  // Ten seconds later, the 100 are worth 50 and the 90 are worth 45.
  assert.deepEqual(second(10, [[other, 30]]), [], '75 are not more than 1.5 times 50');
  assert.deepEqual(second(11, [[other, 10]]), [one]);
  assert.deepEqual([one.isShown, other.isShown], [false, true]);
});

test('Limit moves no place for less than the margin', () => {
  const [one, other] = [new Member(), new Member()];
  const { second } = createLimit({ margin: 5 });
  second(0, [[one, 1]]);
  assert.deepEqual(second(1, [[other, 6]]), []);
  assert.deepEqual(second(2, [[other, 6]]), [one]);
});

test('Limit gives the place of a member that ended to another one', () => {
  const [one, other] = [new Member(), new Member()];
  const { limit, second } = createLimit();
  second(0, [
    [one, 2],
    [other, 1],
  ]);
  limit.remove(one);
  second(1, []);
  assert.equal(other.isShown, true);
});

test('Limit gives no more places in a minute than it has, once the first are given', () => {
  const { limit, second } = createLimit({ places: 2 });
  for (let atS = 0; atS < 120; atS += 1) {
    const member = new Member();
    second(atS, [[member, 1]]);
    limit.remove(member);
  }
  // Four at first, and two in each of two minutes.
  assert.ok(limit.changes >= 7 && limit.changes <= 8, `${limit.changes} changes`);
});

test('Limit keeps the order of weights when time grows beyond what their numbers hold', () => {
  const [one, other] = [new Member(), new Member()];
  const { second } = createLimit({ halfLifeNs: 1e9 });
  second(0, [[one, 1]]);
  for (const atS of [600, 1200, 1800]) {
    second(atS, [
      [one, 3],
      [other, 4],
    ]);
    assert.ok(Number.isFinite(one.weight) && one.weight < other.weight);
    assert.equal(one.isShown, true, '4 are not more than 1.5 times 3');
  }
});

test('Limit counts each place that it gives and takes, and gives none twice', () => {
  const [one, other] = [new Member(), new Member()];
  const { limit, second } = createLimit({ places: 2 });
  second(0, [[one, 1]]);
  second(1, [[one, 1]]);
  assert.equal(limit.changes, 1);
  second(2, [[other, 1]]);
  assert.equal(limit.changes, 2);
});

test('Limit gives the place back to the member that lost it, when its successor ends', () => {
  const [one, other] = [new Member(), new Member()];
  const { limit, second } = createLimit();
  second(0, [[one, 1]]);
  assert.deepEqual(second(1, [[other, 10]]), [one]);
  limit.remove(other);
  second(90, []);
  assert.deepEqual([one.isShown, limit.changes], [true, 4]);
});

test('Limit prefers the first of members that used as much, and takes the place of the last', () => {
  const [one, other, later] = [new Member(), new Member(), new Member()];
  const { second } = createLimit();
  second(0, [
    [one, 1],
    [other, 1],
  ]);
  assert.deepEqual([one.isShown, other.isShown], [true, false]);
  const wide = createLimit({ places: 2 });
  const [first, last] = [new Member(), new Member()];
  wide.second(0, [
    [first, 1],
    [last, 1],
  ]);
  assert.deepEqual(wide.second(1, [[later, 10]]), [last]);
});

test('Limit weighs use before the first boundary as it is', () => {
  const member = new Member();
  const { limit } = createLimit();
  limit.weigh(member, 3);
  assert.equal(member.weight, 3);
});

test('Limit compares waiting members with the holders at most once a second', () => {
  const [one, other] = [new Member(), new Member()];
  const { second } = createLimit();
  second(0, [[one, 1]]);
  assert.deepEqual(second(0.999, [[other, 10]]), []);
  assert.deepEqual(second(1, []), [one]);
});

test('Limit moves several places at once, to the members that used most', () => {
  const members = [1, 2, 30, 40].map(() => new Member());
  const [a, b, c, d] = members;
  assert.ok(a && b && c && d);
  const { second } = createLimit({ places: 2 });
  second(0, [
    [a, 1],
    [b, 2],
  ]);
  const lost = second(1, [
    [c, 30],
    [d, 40],
  ]);
  assert.deepEqual(lost, [a, b]);
  assert.deepEqual(
    members.map(({ isShown }) => isShown),
    [false, false, true, true],
  );
});
