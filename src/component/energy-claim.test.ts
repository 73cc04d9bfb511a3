import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from './claims.js';
import { claimEnergy, type Measured } from './energy-claim.js';

/** The metric and owner of each meter, one after the other, by the receivers that have them. */
function claimAll(...meters: readonly (readonly [receiver: string, measured: Measured])[]) {
  const owners = new Map<string, string>();
  return meters.map(([id, measured]) => {
    const claim = (key: string) => {
      const first = owners.get(key) ?? id;
      owners.set(key, first);
      return first === id ? undefined : first;
    };
    const { metric, owner } = claimEnergy({ ...freeClaims, claim }, measured);
    return [metric.name, owner];
  });
}

test('claimEnergy lets one meter have the whole host, and others publish what is not added up', () => {
  assert.deepEqual(claimAll(['bmc', 'host'], ['hwmon', 'host'], ['bmc', 'host']), [
    ['hw.host.energy', undefined],
    ['hw.meter.energy', 'bmc'],
    ['hw.host.energy', undefined],
  ]);
});

test('claimEnergy gives each domain to the first that claims it, the host apart', () => {
  const meters = [
    ['rapl', { domain: 'cpu/0' }],
    ['hwmon', { domain: 'cpu/0' }],
    ['hwmon', { domain: 'cpu/1' }],
    ['hwmon', 'host'],
  ] as const;
  assert.deepEqual(claimAll(...meters), [
    ['hw.energy', undefined],
    ['hw.meter.energy', 'rapl'],
    ['hw.energy', undefined],
    ['hw.host.energy', undefined],
  ]);
});

test('claimEnergy claims nothing for a load that is not known', () => {
  assert.deepEqual(claimAll(['shelly', 'other'], ['shelly/2', 'other'], ['bmc', 'host']), [
    ['hw.meter.energy', undefined],
    ['hw.meter.energy', undefined],
    ['hw.host.energy', undefined],
  ]);
});
