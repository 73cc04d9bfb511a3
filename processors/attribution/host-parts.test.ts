import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Usage } from '../../src/usage/usage.js';
import type { Window } from '../../src/usage/windows.js';
import { Workload } from '../../src/usage/workload.js';
import { HostParts } from './host-parts.js';

type WindowOfTwo = readonly [fromMs: number, toMs: number, charges: readonly [number, number]];

const pids = [1, 2];

/** Domains of a host that is watched, with the windows of one. The second of two processes starts at `bornMs`. */
function createParts(windows: readonly WindowOfTwo[], bornMs = 0): HostParts {
  const workloads = pids.map(
    (pid) =>
      new Workload({ attributes: { 'process.pid': pid } }, pid === 2 ? bornMs * 1e6 : 0, { groups: [] }),
  );
  const parts = new HostParts();
  parts.isWatched = true;
  for (const [fromMs, toMs, shares] of windows) {
    const to = toMs * 1e6;
    const usage: Usage = { firstTo: to, to, busyNs: 0, isGap: false, workloads, cpuNs: [], lifeNs: [] };
    const energyNj = shares[0] + shares[1];
    const idle = { idleNj: 0, interruptNj: 0, unattributedNj: 0, reason: 'unseen' } as const;
    const settled = {
      ...idle,
      dynamicNj: energyNj,
      aboveFloorNj: energyNj,
      attributedNj: energyNj,
      wholeNs: 0,
    };
    const window: Window = {
      from: fromMs * 1e6,
      to,
      energyNj,
      refreshNs: 0,
      lagNs: 0,
      edgeNs: 0,
      tickNs: 0,
      usage,
    };
    parts.settled('cpu', { window, parts: settled, shares }, 60e9);
  }
  return parts;
}

/** What is taken in a period: energy, its shared part, and the charges of both. */
function take(parts: HostParts, fromMs: number, toMs: number): readonly (number | undefined)[] {
  const { energyNj, sharedNj, charges } = parts.take(fromMs * 1e6, toMs * 1e6);
  parts.forget(toMs * 1e6);
  const charged = new Map([...charges].map(([{ resource }, nj]) => [resource.attributes['process.pid'], nj]));
  return [energyNj, sharedNj, ...pids.map((pid) => charged.get(pid))];
}

test('HostParts divides charges at the end of a window within one of a domain, and loses none', () => {
  const parts = createParts([
    [0, 1000, [1000, 3]],
    [1000, 2000, [0, 600]],
  ]);
  assert.deepEqual(take(parts, 0, 950), [953, 953, 950, 3]);
  assert.deepEqual(take(parts, 950, 1500), [350, 350, 50, 300]);
  assert.deepEqual(take(parts, 1500, 2000), [300, 300, undefined, 300]);
});

test('HostParts discards charges before a window, like the energy', () => {
  const parts = createParts([
    [0, 1000, [1000, 0]],
    [1000, 2000, [0, 600]],
  ]);
  assert.deepEqual(take(parts, 500, 1000), [500, 500, 500, undefined]);
  parts.forget(1500e6);
  assert.deepEqual(take(parts, 1500, 2000), [300, 300, undefined, 300]);
});

test('HostParts has charges of all workloads of a divided bucket until it is taken as a whole', () => {
  const parts = createParts([
    [0, 20, [100, 0]],
    [20, 40, [0, 100]],
  ]);
  assert.deepEqual(take(parts, 0, 30), [150, 150, 75, 75]);
  assert.equal(parts.hasChargesBefore(20e6), true);
  assert.deepEqual(take(parts, 30, 40), [50, 50, 25, 25]);
  assert.equal(parts.hasChargesBefore(20e6), false);
});

test('HostParts charges a process for the time in which it lived', () => {
  const parts = createParts([[0, 1000, [1000, 600]]], 700);
  assert.deepEqual(take(parts, 0, 500), [800, 500, 500, undefined]);
  assert.deepEqual(take(parts, 500, 850), [560, 650, 350, 300]);
  assert.deepEqual(take(parts, 850, 1000), [240, 450, 150, 300]);
});
