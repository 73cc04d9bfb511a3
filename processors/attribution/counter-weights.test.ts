import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import type { Metric, Resource, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { factory } from './factory.js';
import { Rig, RigProcess, unixNs } from './rig.fixture.js';

const eventCount: Metric = {
  name: 'perf.event.count',
  unit: '{event}',
  description: '',
  kind: 'counter',
  valueType: 'double',
};
const names = ['instructions', 'cache-misses'];
const floorWatts = 10;

function createEvents(resource: Resource): readonly Series[] {
  return names.map((name) => {
    return { metric: eventCount, resource, attributes: { 'perf.event.name': name }, start: unixNs(0) };
  });
}

function costOf([instructions, misses]: readonly [number, number]): number {
  return (2 * instructions + 80 * misses) * 1e-9;
}

function add(counts: number[], growth: readonly number[]): void {
  for (const [event, count] of growth.entries()) counts[event] += count;
}

const machine: Resource = { attributes: { 'host.name': 'rig' } };

/**
 * Plays seconds in which two processes have the same CPU time, one for instructions and one for cache misses,
 * and a third, which no scan sees, some of both.
 * @param isExplained whether the energy is that of the events, or unrelated to them
 * @returns the true joules of both processes since the event weights can be known
 */
function playEvents(rig: Rig, seconds: number, isExplained = true): readonly number[] {
  const random = createRandom(3);
  const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid, 'host.name': 'rig' }, 0));
  const meter = rig.createMeter();
  const series = [...processes.map(({ resource }) => resource), machine].map(createEvents);
  const counts = series.map(() => [0, 0]);
  const joules = [0, 0];
  let [usedS, meterJ] = [0, 0];
  for (let atS = 0; atS <= seconds; atS++) {
    if (atS > 0) {
      const growths = [
        [Math.round(2e9 * random.fraction()), 1e5],
        [1e8, Math.round(5e7 * random.fraction())],
        [1e8, 1e6],
      ] as const;
      for (const [i, growth] of growths.entries()) {
        if (i < 2) add(counts[i], growth);
        add(counts[2], growth);
        if (i < 2 && atS > 60) joules[i] += costOf(growth);
      }
      usedS += 0.5;
      const ownJ = growths.reduce((sum, growth) => sum + costOf(growth), 0);
      meterJ += floorWatts + (isExplained ? ownJ : 20 * random.fraction());
    }
    rig.energy(meter, atS, meterJ);
    for (const [i, columns] of series.entries()) {
      rig.consume(createRow(columns, unixNs(atS), Float64Array.from(counts[i])));
    }
    rig.usage(atS, [
      [processes[0], usedS],
      [processes[1], usedS],
    ]);
    rig.boundary(atS, 2.1 * usedS);
  }
  return joules;
}

const settings = { floor: [{ power: floorWatts }], weights: [{ hw_type: 'cpu', counters: names }] };

/** Joules of each process, shared by events or by CPU time. */
function joulesBy(rig: Rig, model: string): readonly number[] {
  const own = rig.out
    .last('process.energy')
    .filter(({ series }) => series.attributes['energy.attribution.model'] === model);
  return [1, 2].map(
    (pid) => own.find(({ series }) => series.resource.attributes['process.pid'] === pid)?.value ?? 0,
  );
}

test('attribution shares energy by event costs, once they explain it, and charges idle power to no workload', () => {
  const rig = new Rig(settings);
  const truth = playEvents(rig, 200);
  const [first, second] = joulesBy(rig, 'counters');
  assert.ok(Math.abs(first / truth[0] - 1) < 0.01, `${first} J, truly ${truth[0]} J`);
  assert.ok(Math.abs(second / truth[1] - 1) < 0.01, `${second} J, truly ${truth[1]} J`);
  // By CPU time, both would get the same energy.
  const [firstBefore, secondBefore] = joulesBy(rig, 'cpu_time');
  assert.ok(Math.abs(firstBefore - secondBefore) < 1e-6);
  assert.ok(firstBefore > 0);
});

test('attribution leaves the energy of events that no process explains unattributed', () => {
  const rig = new Rig(settings);
  playEvents(rig, 61);
  const before = rig.parts();
  const again = new Rig(settings);
  playEvents(again, 62);
  const { unseen = 0, attributed = 0 } = again.parts();
  // The third uses 1e8 instructions and 1e6 cache misses: 0.28 J.
  assert.ok(Math.abs(unseen - (before['unseen'] ?? 0) - 0.28) < 0.005);
  assert.ok(attributed > (before['attributed'] ?? 0));
});

test('attribution shares energy by CPU time while events do not explain it', () => {
  const rig = new Rig(settings);
  playEvents(rig, 200, false);
  assert.deepEqual(joulesBy(rig, 'counters'), [0, 0]);
  const [first, second] = joulesBy(rig, 'cpu_time');
  assert.ok(first > 0 && Math.abs(first - second) < 1e-6);
});

test('attribution has views with equal sums if both ways of sharing occur', () => {
  const rig = new Rig({ ...settings, process_limit: 1, group_limit: 1 });
  playEvents(rig, 100);
  void rig.processor.shutdown();
  const sum = (metric: string) => rig.out.last(metric).reduce((joules, { value }) => joules + value, 0);
  const { attributed = 0 } = rig.parts();
  for (const metric of ['process.energy', 'program.energy', 'linux.cgroup.energy']) {
    assert.ok(Math.abs(sum(metric) - attributed) < 1e-9, metric);
  }
  assert.deepEqual(
    rig.logLines.filter((line) => line.startsWith('error')),
    [],
  );
});

test('attribution requires names of the events by which it shares', () => {
  const config = parseSettings(factory.schema, { weights: [{ hw_type: 'cpu' }] });
  assert.deepEqual(factory.check?.(config), ['weights[0].counters: expected names of events, found none']);
});
