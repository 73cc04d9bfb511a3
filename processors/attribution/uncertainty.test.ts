import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementAt } from '../../src/element.js';
import {
  AdversarialMachine,
  type AdversarialOptions,
  type TrueWindow,
} from './adversarial-machine.fixture.js';
import { RigGpu } from './rig-gpu.fixture.js';
import { Rig, RigProcess, unixNs } from './rig.fixture.js';
import { misplacedShare } from './uncertainty.js';

/** A published window: joules by pid, 0 for idle energy, -1 for unattributed energy. */
interface PublishedWindow {
  readonly toS: number;
  readonly joules: ReadonlyMap<number, number>;
  readonly error: number;
}

/** The windows after the quiet phase, from the published rows. */
function listWindows(rig: Rig, sinceS: number): readonly PublishedWindow[] {
  const totals = new Map<unknown, number>();
  const windows: PublishedWindow[] = [];
  for (const { series, values, offsets, epoch } of rig.out.tables) {
    if (!series.some(({ metric }) => metric.name === 'attribution.error')) continue;
    for (const [row, offset] of offsets.entries()) {
      const joules = new Map<number, number>();
      let error = NaN;
      for (const [i, one] of series.entries()) {
        const value = elementAt(values, row * series.length + i);
        if (one.metric.name === 'attribution.error') error = value;
        const place = findPlace(one);
        if (place === undefined) continue;
        joules.set(place, (joules.get(place) ?? 0) + value - (totals.get(one) ?? 0));
        totals.set(one, value);
      }
      const toS = Number(epoch - unixNs(0) + BigInt(offset)) / 1e9;
      if (toS > sinceS + 1e-6) windows.push({ toS, joules, error });
    }
  }
  return windows;
}

function findPlace({ metric, attributes, resource }: Rig['out']['tables'][number]['series'][number]) {
  if (metric.name === 'process.energy') return Number(resource.attributes['process.pid']);
  if (metric.name !== 'ledger.energy' || attributes['ledger.part'] === 'attributed') return undefined;
  return attributes['ledger.part'] === 'idle' ? 0 : -1;
}

/** The part of a window's energy that was attributed to the wrong workload or window. */
function findError({ joules }: PublishedWindow, truth: TrueWindow): number {
  const places = new Set([...joules.keys(), ...truth.keys()]);
  let [more, less, all] = [0, 0, 0];
  for (const place of places) {
    const wrong = (joules.get(place) ?? 0) - (truth.get(place) ?? 0);
    more += Math.max(0, wrong);
    less += Math.max(0, -wrong);
    all += joules.get(place) ?? 0;
  }
  return Math.max(more, less) / all;
}

function sumWindows(windows: readonly TrueWindow[]): TrueWindow {
  const sum = new Map<number, number>();
  for (const window of windows) {
    for (const [place, joules] of window) sum.set(place, (sum.get(place) ?? 0) + joules);
  }
  return sum;
}

/** The true error of each window, and the published one. */
function playAdversary(options: AdversarialOptions, settings: object = {}) {
  const rig = new Rig({ cpu_count: 8, process_limit: 0, views: ['process'], ...settings });
  const machine = new AdversarialMachine(rig, options);
  machine.play();
  const quietS = 70;
  let done = 0;
  return listWindows(rig, quietS).map((window) => {
    const upTo = Math.round((window.toS - quietS) / options.windowS);
    const truth = sumWindows(machine.truth.slice(done, upTo));
    done = upTo;
    return { error: findError(window, truth), published: window.error };
  });
}

/** How many windows had at most the published error, and the size of both. */
function summarize(windows: readonly { readonly error: number; readonly published: number }[]) {
  const errors = windows.map(({ error }) => error).toSorted((a, b) => a - b);
  const published = windows.map((window) => window.published).toSorted((a, b) => a - b);
  return {
    covered: windows.filter((window) => window.error <= window.published).length / windows.length,
    error95: elementAt(errors, Math.floor(0.95 * errors.length)),
    median: elementAt(published, published.length >> 1),
  };
}

for (const [name, windowS, settings] of [
  ['of 1 s', 1, {}],
  ['of 200 ms', 0.2, {}],
  ['of 1 s, floor set', 1, { floor: [{ power: 12 }] }],
] as const) {
  for (const workloads of [2, 5, 20]) {
    test(`attribution publishes an error that holds for 95 % of windows ${name} of an adversarial machine with ${workloads} workloads`, () => {
      const windows = [1, 2, 3].flatMap((seed) =>
        playAdversary({ windows: 60, readingS: 0.01, seed, workloads, windowS }, settings),
      );
      assert.equal(windows.length, 180);
      const { covered, error95, median } = summarize(windows);
      assert.ok(covered >= 0.95, `${covered}`);
      // An error of 1 would always hold.
      assert.ok(median < 3 * error95, `${median} for ${error95}`);
    });
  }
}

test('attribution publishes an error that holds if the meter is hardly faster than the windows', () => {
  const windows = Array.from({ length: 8 }, (_, seed) =>
    playAdversary(
      { windows: 60, readingS: 0.01, refreshS: 0.08, seed, workloads: 1, windowS: 0.2 },
      { floor: [{ power: 12 }] },
    ),
  ).flat();
  const { covered, error95, median } = summarize(windows);
  assert.ok(covered >= 0.95, `${covered}`);
  assert.ok(median < 3 * error95, `${median} for ${error95}`);
});

for (const [counts, weights] of [
  ['cycles', [{ hw_type: 'cpu', model: 'frequency_cpu_time' }]],
  ['cycles', [{ hw_type: 'cpu', model: 'frequency_cpu_time', gamma: 2 }]],
  ['resctrl', []],
  ['cache-misses', []],
] as const) {
  for (const counted of [20, 3]) {
    const what = `${counted} of 6 workloads by ${counts}${weights.length > 0 ? ` ${JSON.stringify(weights[0])}` : ''}`;
    test(`attribution publishes an error that holds for 95 % of windows where it knows ${what}`, () => {
      const windows = [1, 2, 3].flatMap((seed) =>
        playAdversary(
          { windows: 60, readingS: 0.01, seed, workloads: 6, windowS: 1, counts, counted },
          { weights, floor: [{ power: 12 }] },
        ),
      );
      const { covered, error95, median } = summarize(windows);
      assert.ok(covered >= 0.95, `${covered}`);
      assert.ok(median < 3 * error95, `${median} for ${error95}`);
    });
  }
}

test('attribution has no tick in the windows and the error of a GPU, whose time is known at each sample', () => {
  const rig = new Rig({ floor: [{ power: 0 }] });
  const gpu = new RigGpu(rig, 'GPU-1');
  const gpuMeter = { ...gpu.energy, attributes: { ...gpu.energy.attributes, 'energy.method': 'measured' } };
  const cpuMeter = rig.createMeter({ 'energy.method': 'measured' });
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  rig.tick(0, 0.01);
  for (let step = 0; step <= 40; step++) {
    const atS = step / 10;
    gpu.scan(atS, [[process, atS]], atS, NaN);
    for (const meter of [gpuMeter, cpuMeter]) rig.energy(meter, atS, 100 * atS);
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  const ofHardware = (name: string) =>
    Object.fromEntries(rig.out.last(name).map(({ series, value }) => [series.attributes['hw.type'], value]));
  // Windows of CPUs have 25 ticks of 10 ms: 300 ms at this interval. Those of the GPU have 100 ms.
  assert.deepEqual(ofHardware('attribution.tick.ratio'), { cpu: 0.01 / 0.3, gpu: 0 });
  const { cpu = NaN, gpu: ofGpu = NaN } = ofHardware('attribution.error');
  // One workload, and a meter that is assumed to be refreshed every millisecond.
  assert.equal(ofGpu.toFixed(9), (0.8 * 0.01).toFixed(9));
  assert.equal(cpu.toFixed(9), ((0.8 * Math.hypot(0.01, 0.001)) / 0.3).toFixed(9));
});

test('misplacedShare is the worst case of two groups of workloads', () => {
  assert.equal(misplacedShare(1, 0.5), 0);
  assert.equal(misplacedShare(4, 0.1).toFixed(12), '0.333333333333');
  assert.equal(misplacedShare(4, 1), 0);
  // One with 0.9 of the weights: the other tenth costs four times as much per weight, and so 4 / 13 of all.
  assert.equal(misplacedShare(4, 0.9).toFixed(12), (4 / 13 - 0.1).toFixed(12));
});
