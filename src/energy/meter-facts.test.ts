import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMeterFacts } from './meter-facts.js';

const factsOf = (attributes: Record<string, string>) => findMeterFacts({ attributes });

const ofWindow = (window: string) => ({ 'energy.interface': 'hwmon_power', 'hw.power.window': window });

test("findFacts returns the minimum age of a meter's energy, by its interface and its averaging time", () => {
  assert.deepEqual(factsOf({ 'energy.interface': 'powercap' }), { isSampled: false, refreshNs: 1e6 });
  assert.deepEqual(factsOf({ 'energy.interface': 'perf_event' }), { isSampled: false, refreshNs: 1e6 });
  assert.deepEqual(factsOf({ 'energy.interface': 'hwmon_energy' }), { isSampled: false });
  assert.deepEqual(factsOf({}), { isSampled: false });
  assert.deepEqual(factsOf({ 'energy.interface': 'nvml' }), { isSampled: false, refreshNs: 100e6 });
  const averaged = { 'energy.interface': 'nvml_power', 'hw.gpu.power.window': '1s' };
  assert.deepEqual(factsOf(averaged), { isSampled: true, refreshNs: 1e9 });
  const grace = { 'energy.interface': 'hwmon_power', 'hw.power.window': '0.05s' };
  assert.deepEqual(factsOf(grace), { isSampled: true, refreshNs: 50e6 });
  assert.deepEqual(factsOf(ofWindow('instant')), { isSampled: true, refreshNs: 1e6 });
  assert.deepEqual(factsOf(ofWindow('average')), { isSampled: true });
});
