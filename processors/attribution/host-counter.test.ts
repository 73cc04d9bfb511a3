import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimEnergy } from '../../src/component/energy-claim.js';
import type { Series } from '../../src/model/series.js';
import { hostEnergy } from '../../src/model/shared-metrics.js';
import { ClaimRegistry } from '../../src/pipeline/claims.js';
import { Rig, RigProcess } from './rig.fixture.js';

/** A machine with a process that is always busy. */
function startRig() {
  const rig = new Rig({ cpu_count: 1, process_metrics: 'all' });
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  const createHost = (id: string, metric = hostEnergy): Series => ({
    ...rig.createMeter({ 'hw.type': 'host', 'hw.id': id, 'energy.method': 'measured' }),
    metric,
  });
  const play = (atS: number, watts: readonly (readonly [Series, number])[], startS = 0) => {
    for (const [series, power] of watts) rig.energy(series, atS, power * (atS - startS));
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  };
  return { rig, createHost, play };
}

/** Joules attributed to the process, by kind of hardware. */
function attributed(rig: Rig): Record<string, number> {
  return Object.fromEntries(
    rig.out.last('process.energy').map(({ series, value }) => [series.attributes['hw.type'], value]),
  );
}

test('attribution charges one of two meters of the whole host', () => {
  const { rig, createHost, play } = startRig();
  const registry = new ClaimRegistry();
  const [bmc, board] = ['bmc', 'board'].map((id) =>
    createHost(id, claimEnergy(registry.claimsFor(id), 'host').metric),
  );
  assert.equal(board.metric.name, 'hw.meter.energy');
  for (let atS = 0; atS <= 10; atS++)
    play(atS, [
      [bmc, 100],
      [board, 90],
    ]);
  void rig.processor.shutdown();
  assert.deepEqual(attributed(rig), { host: 1000 });
});

test('attribution charges the domains of a host and not its meter, in any order of reading', () => {
  for (const hostIsFirst of [true, false]) {
    const { rig, createHost, play } = startRig();
    const meters = [
      [createHost('bmc'), 100],
      [rig.createMeter({ 'energy.method': 'measured' }), 60],
    ] as const;
    for (let atS = 0; atS <= 10; atS++) play(atS, hostIsFirst ? meters : meters.toReversed());
    void rig.processor.shutdown();
    assert.deepEqual(attributed(rig), { cpu: 600 });
  }
});

test('attribution charges the host when its domains are no longer read, and stops when they are read again', () => {
  const { rig, createHost, play } = startRig();
  const host = createHost('bmc');
  const first = rig.createMeter({ 'energy.method': 'measured' });
  for (let atS = 0; atS <= 5; atS++)
    play(atS, [
      [host, 100],
      [first, 60],
    ]);
  rig.end(5, first);
  for (let atS = 6; atS <= 15; atS++) play(atS, [[host, 100]]);
  const second = rig.createMeter({ 'energy.method': 'measured' }, 15);
  rig.energy(second, 15, 0);
  for (let atS = 16; atS <= 20; atS++) {
    rig.energy(second, atS, 60 * (atS - 15));
    play(atS, [[host, 100]]);
  }
  void rig.processor.shutdown();
  // From the first reading without a domain, at 6 s, to the last one, at 15 s.
  assert.deepEqual(attributed(rig), { cpu: 600, host: 900 });
});

test('attribution charges what the host used before its first windows, even in a run of one second', () => {
  const { rig, createHost, play } = startRig();
  const host = createHost('bmc');
  for (const atS of [0, 0.5, 1]) play(atS, [[host, 100]]);
  assert.deepEqual(attributed(rig), {}, 'a domain may still show');
  void rig.processor.shutdown();
  assert.deepEqual(attributed(rig), { host: 100 });
});
