import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { elementAt } from '../../src/element.js';
import { byTime } from '../../src/usage/weighing.js';
import {
  AdversarialMachine,
  type AdversarialOptions,
  type TrueWindow,
} from './adversarial-machine.fixture.js';
import { RigGpu } from './rig-gpu.fixture.js';
import { Rig, RigProcess, unixNs } from './rig.fixture.js';
import { misplacedShare, Uncertainty, type Evidence } from './uncertainty.js';

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

/** Checks that 95 % of windows had at most the published error, and that it is not far too large. */
function assertCovered(
  t: TestContext,
  windows: readonly { readonly error: number; readonly published: number }[],
): void {
  const errors = windows.map(({ error }) => error).toSorted((a, b) => a - b);
  const published = windows.map((window) => window.published).toSorted((a, b) => a - b);
  const covered = windows.filter((window) => window.error <= window.published).length / windows.length;
  const error95 = elementAt(errors, Math.floor(0.95 * errors.length));
  const median = elementAt(published, published.length >> 1);
  const figures = `${covered} of ${windows.length} windows, 95 % of errors below ${error95}, published ${median}`;
  t.diagnostic(figures);
  assert.ok(covered >= 0.95, figures);
  // An error of 1 would always hold.
  assert.ok(median < 3 * error95, figures);
}

for (const [name, windowS, settings] of [
  ['of 1 s', 1, {}],
  ['of 200 ms', 0.2, {}],
  ['of 1 s, floor set', 1, { floor: [{ power: 12 }] }],
] as const) {
  for (const workloads of [2, 5, 20]) {
    test(`attribution publishes an error that holds for 95 % of windows ${name} of an adversarial machine with ${workloads} workloads`, (t) => {
      const windows = [1, 2, 3].flatMap((seed) =>
        playAdversary({ windows: 60, readingS: 0.01, seed, workloads, windowS }, settings),
      );
      assert.equal(windows.length, 180);
      assertCovered(t, windows);
    });
  }
}

for (const [name, readingS, refreshS, refreshOffsetS = 0] of [
  ['is hardly faster than the windows', 0.01, 0.08],
  ['shows energy of up to a reading ago', 0.05, 0.077],
  ['is refreshed in step with readings and windows', 0.05, 0.08],
  ['is refreshed between two readings, as only their spread shows', 0.1, 0.077],
  ['is refreshed slightly more often than it is read', 0.08, 0.077],
  ['is read once per window', 0.2, 0.077],
  ['is refreshed in the middle between two readings, and its spread does not show it', 0.2, 0.2, 0.1],
  ['is refreshed in the middle between two of four readings per window', 0.05, 0.05, 0.025],
] as const) {
  test(`attribution publishes an error that holds if the meter ${name}`, (t) => {
    const windows = Array.from({ length: 8 }, (_, seed) =>
      playAdversary(
        { windows: 60, readingS, refreshS, refreshOffsetS, seed, workloads: 1, windowS: 0.2 },
        { floor: [{ power: 12 }] },
      ),
    ).flat();
    assertCovered(t, windows);
  });
}

for (const [counts, weights] of [
  ['cycles', [{ hw_type: 'cpu', model: 'frequency_cpu_time' }]],
  ['cycles', [{ hw_type: 'cpu', model: 'frequency_cpu_time', gamma: 2 }]],
  ['resctrl', []],
  ['cache-misses', []],
] as const) {
  for (const counted of [20, 3]) {
    const what = `${counted} of 6 workloads by ${counts}${weights.length > 0 ? ` ${JSON.stringify(weights[0])}` : ''}`;
    test(`attribution publishes an error that holds for 95 % of windows where it knows ${what}`, (t) => {
      const windows = [1, 2, 3].flatMap((seed) =>
        playAdversary(
          { windows: 60, readingS: 0.01, seed, workloads: 6, windowS: 1, counts, counted },
          { weights, floor: [{ power: 12 }] },
        ),
      );
      assertCovered(t, windows);
    });
  }
}

test('attribution has no tick in the windows and the error of a GPU, whose time is known at each sample', () => {
  const rig = new Rig({ floor: [{ power: 0 }] });
  const gpu = new RigGpu(rig, 'GPU-1');
  // Of a stated refresh interval of 1 ms.
  const stated = { 'energy.method': 'measured', 'energy.interface': 'powercap' };
  const gpuMeter = { ...gpu.energy, attributes: { ...gpu.energy.attributes, ...stated } };
  const cpuMeter = rig.createMeter(stated);
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
  // One workload.
  assert.equal(ofGpu.toFixed(9), (1 / 99).toFixed(9));
  assert.equal(cpu.toFixed(9), Math.hypot((0.8 * 0.01) / 0.3, 1 / 299).toFixed(9));
});

test('misplacedShare is the worst case of two groups of workloads', () => {
  assert.equal(misplacedShare(1, 0.5), 0);
  assert.equal(misplacedShare(4, 0.1).toFixed(12), '0.333333333333');
  assert.equal(misplacedShare(4, 1), 0);
  // One with 0.9 of the weights: the other tenth costs four times as much per weight, and so 4 / 13 of all.
  assert.equal(misplacedShare(4, 0.9).toFixed(12), (4 / 13 - 0.1).toFixed(12));
});

function createUncertainty(): Uncertainty {
  return new Uncertainty({ hwType: 'cpu', isEstimated: false });
}

test('Uncertainty adds the terms of the formula', () => {
  // 10 J in 1 s, 6 J of it shared, 2 J unattributed, and a floor that may be wrong by 0.5 W.
  const usage = { firstTo: 1e9, to: 1e9, busyNs: 1e9, isGap: false, workloads: [], cpuNs: [], lifeNs: [] };
  const window = {
    from: 0,
    to: 1e9,
    energyNj: 10e9,
    refreshNs: 0,
    lagNs: 200e6,
    edgeNs: 0,
    tickNs: 375e6,
    usage,
  };
  const floor = { watts: 4, source: 'learned', errorWatts: 0.5 } as const;
  const shared = { dynamicNj: 6e9, topShare: 1, weight: byTime, timeShare: 1 } as const;
  const evidence: Evidence = { ...shared, unattributedNj: 2e9, floor };
  // noise = sqrt((0.2 / 0.8)^2 + (0.8 x 0.375)^2) = 0.3905; floor = 0.05; one workload: no error by weights.
  const noise = Math.sqrt(0.0625 + 0.09);
  assert.equal(createUncertainty().of(window, evidence).toFixed(9), (noise + 0.05 + 0.2).toFixed(9));
  // With many small workloads, a third of the 6 J.
  assert.equal(
    createUncertainty()
      .of(window, { ...evidence, topShare: 0.1 })
      .toFixed(9),
    (noise + 0.45).toFixed(9),
  );
  // A meter that may show the energy of any part of the window.
  assert.equal(createUncertainty().of({ ...window, lagNs: 1e9 }, evidence), 1);
  // edge: 2 x 0.05 s x 6 J / 10 J = 0.06 s; step: sqrt(0.01) x 0.6 = 0.06.
  const noisy = { ...window, lagNs: 0, tickNs: 0, edgeNs: 50e6, sampleNs: 10e6 };
  assert.equal(createUncertainty().of(noisy, evidence).toFixed(9), (Math.SQRT2 * 0.06 + 0.25).toFixed(9));
  // All of it may be 50 ms old: another 2 x 0.05 s x 6 J / 10 J.
  assert.equal(
    createUncertainty()
      .of({ ...noisy, delayNs: 50e6 }, evidence)
      .toFixed(9),
    (Math.sqrt(3) * 0.06 + 0.25).toFixed(9),
  );
  assert.equal(createUncertainty().of({ ...noisy, energyNj: 0, delayNs: 100e6 }, evidence), 0.1);
  // A remainder: the domains within its meter vary by another 4 J.
  const remainder = { ...noisy, domainsNj: 4e9 };
  assert.equal(createUncertainty().of(remainder, evidence).toFixed(9), (Math.SQRT2 * 0.1 + 0.25).toFixed(9));
  assert.equal(createUncertainty().of({ ...remainder, energyNj: 0 }, evidence), 1);
  // Without a floor, all of the lowest power so far may be idle power: the figure is limited to 1.
  assert.equal(createUncertainty().of(window, { ...evidence, floor: undefined }), 1);
});
