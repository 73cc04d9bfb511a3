import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interned } from './interned.js';

interface Point {
  readonly x: number;
}

function createPoints() {
  return new Interned<Point>(({ x }) => String(x));
}

test('Interned finds the first of several equal objects', () => {
  const points = createPoints();
  const first = { x: 1 };
  assert.equal(points.find(first), first);
  assert.equal(points.find({ x: 1 }), first);
  assert.notEqual(points.find({ x: 2 }), first);
});

test('Interned gives each object a number of its own, which does not change', () => {
  const points = createPoints();
  const [one, other] = [points.find({ x: 1 }), points.find({ x: 2 })];
  assert.deepEqual(
    [one, other, one, other].map((point) => points.idOf(point)),
    [1, 2, 1, 2],
  );
});

test('Interned forgets an object after its last use', () => {
  const points = createPoints();
  const first = points.find({ x: 1 });
  points.retain(first);
  points.retain(first);
  points.release(first);
  assert.equal(points.find({ x: 1 }), first);
  points.release(first);
  assert.notEqual(points.find({ x: 1 }), first);
});

test('Interned keeps the number of a forgotten object, and gives a new one to its successor', () => {
  const points = createPoints();
  const first = points.find({ x: 1 });
  assert.equal(points.idOf(first), 1);
  points.retain(first);
  points.release(first);
  const second = points.find({ x: 1 });
  assert.deepEqual([points.idOf(second), points.idOf(first)], [2, 1]);
});

test('Interned finds a forgotten object again once it is retained again', () => {
  const points = createPoints();
  const first = points.find({ x: 1 });
  points.retain(first);
  points.release(first);
  points.retain(first);
  assert.equal(points.find({ x: 1 }), first);
  points.release(first);
  assert.notEqual(points.find({ x: 1 }), first);
});

test('forgetUnused forgets an object that was found but never used, and no other', () => {
  const points = createPoints();
  const [used, unused] = [points.find({ x: 1 }), points.find({ x: 2 })];
  points.retain(used);
  points.forgetUnused(used);
  points.forgetUnused(unused);
  assert.equal(points.find({ x: 1 }), used);
  assert.notEqual(points.find({ x: 2 }), unused);
});

test('release forgets an object that was never retained', () => {
  const points = createPoints();
  const first = points.find({ x: 1 });
  points.release(first);
  assert.notEqual(points.find({ x: 1 }), first);
});
