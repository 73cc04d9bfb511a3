import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ComponentStatus } from '../../src/component/agent-control.js';
import { PointRates } from './rates.js';

function component(acceptedPoints: number): ComponentStatus {
  const counts = { acceptedPoints, refusedPoints: 0 };
  return { kind: 'receiver', id: 'rapl', pipelines: ['a'], state: 'running', since: new Date(0), ...counts };
}

test('PointRates is the mean rate since the second last note', () => {
  const rates = new PointRates();
  assert.equal(rates.find(component(10), 0), undefined);
  rates.note([component(0)], 0);
  assert.equal(rates.find(component(10), 500), undefined);
  assert.equal(rates.find(component(10), 2000), 5);
  rates.note([component(10)], 5000);
  rates.note([component(10)], 10_000);
  assert.equal(rates.find(component(110), 15_000), 10);
});

test('PointRates knows no rate of a component that was restarted', () => {
  const rates = new PointRates();
  rates.note([component(1000)], 0);
  assert.equal(rates.find(component(5), 5000), undefined);
});
