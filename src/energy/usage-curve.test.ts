import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageCurve } from './usage-curve.js';

test('UsageCurve interpolates at boundaries between readings', () => {
  const curve = new UsageCurve(5);
  curve.read(105, 1000);
  assert.equal(curve.cut(0, 100), 950);
  curve.read(205, 500);
  assert.equal(curve.cut(100, 200), 50 + 475);
});

test('UsageCurve counts usage since a start before the last boundary from the boundary on', () => {
  const curve = new UsageCurve(90);
  curve.read(210, 120);
  assert.equal(curve.cut(100, 200), 100);
  assert.equal(curve.cut(200, 300), 10);
});

test('UsageCurve charges a late reading only for its share of the window', () => {
  const curve = new UsageCurve(0);
  curve.read(100, 100);
  assert.equal(curve.cut(0, 100), 100);
  assert.equal(curve.cut(100, 200), 0);
  curve.read(300, 200);
  assert.equal(curve.cut(200, 300), 100);
});

test('UsageCurve counts several readings between two boundaries', () => {
  const curve = new UsageCurve(0);
  curve.cut(0, 0);
  for (const at of [10, 20, 30, 40]) curve.read(at, 5);
  assert.equal(curve.cut(0, 35), 17.5 + 0.5);
  assert.equal(curve.cut(35, 40), 2);
});

test('UsageCurve keeps what it counted when cut at a boundary before its last two readings', () => {
  const curve = new UsageCurve(0);
  curve.cut(0, 0);
  for (const at of [10, 20, 30, 40]) curve.read(at, 10);
  assert.equal(curve.cut(0, 15), 15);
  assert.equal(curve.cut(15, 40), 25);
});

test('UsageCurve counts nothing twice and takes nothing back, for any boundaries', () => {
  const curve = new UsageCurve(0);
  curve.read(7, 3);
  const parts = [curve.cut(0, 2), curve.cut(2, 3), curve.cut(3, 6), curve.cut(6, 9)];
  assert.deepEqual(parts, [1, 0, 2, 0]);
});
