import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeakPower } from './peak-power.js';

const ms = 1e6;

test('PeakPower finds the largest mean over the window, when the power changes', () => {
  const peak = new PeakPower();
  // 10 W for 300 ms, 40 W for 100 ms, 10 W for 200 ms.
  let joules = 0;
  peak.add(0, joules, 100 * ms);
  for (let at = 10; at <= 600; at += 10) {
    joules += (at > 300 && at <= 400 ? 40 : 10) * 0.01;
    peak.add(at * ms, joules, 100 * ms);
  }
  assert.equal(peak.restart().toFixed(6), '40.000000');
});

test('PeakPower smooths what is shorter than the window', () => {
  const peak = new PeakPower();
  peak.add(0, 0, 100 * ms);
  peak.add(50 * ms, 0.5, 100 * ms);
  peak.add(60 * ms, 1.5, 100 * ms);
  peak.add(110 * ms, 2, 100 * ms);
  assert.equal(peak.restart().toFixed(3), '18.182');
});

test('PeakPower says nothing, when nothing was as long as the window', () => {
  const peak = new PeakPower();
  peak.add(0, 0, 100 * ms);
  peak.add(99 * ms, 5, 100 * ms);
  assert.ok(Number.isNaN(peak.restart()));
});

test('PeakPower starts again after a restart', () => {
  const peak = new PeakPower();
  peak.add(0, 0, 100 * ms);
  peak.add(100 * ms, 9, 100 * ms);
  assert.equal(peak.restart(), 90);
  peak.add(100 * ms, 9, 100 * ms);
  peak.add(200 * ms, 10, 100 * ms);
  assert.equal(peak.restart(), 10);
});

test('PeakPower stays right, when it forgets what lies far back', () => {
  const peak = new PeakPower();
  for (let at = 0; at <= 5000; at++) peak.add(at * ms, at <= 4900 ? 0 : at - 4900, 100 * ms);
  assert.equal(peak.restart(), 1000);
});
