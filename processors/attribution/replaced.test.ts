import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { assertNear, HostMachine } from './host-machine.fixture.js';
import { playBusy, playSecond, Rig, unixNs } from './rig.fixture.js';

/** The energy of all parts. */
function sumOf(parts: Record<string, number>): number {
  return Object.values(parts).reduce((sum, joules) => sum + joules, 0);
}

test('attribution that replaces another one continues where that one ended', async () => {
  const { rig, meter, process } = playBusy();
  playSecond({ rig, meter, used: [[process, 2]] }, 2);
  await rig.processor.shutdown();
  assert.deepEqual(rig.parts(), { attributed: 20 });
  const next = new Rig();
  playSecond({ rig: next, meter, used: [[process, 3]] }, 3);
  playSecond({ rig: next, meter, used: [[process, 4]] }, 4);
  assert.deepEqual(next.parts(), { attributed: 10, gap: 10 });
  assert.equal(next.out.last('ledger.energy').at(0)?.series.start, unixNs(2));
});

test('attribution does not continue where another processor ended', async () => {
  const { rig, meter, process } = playBusy();
  const other = new Rig({}, createFakeContext({ id: 'attribution/other' }));
  for (const atS of [0, 1]) playSecond({ rig: other, meter, used: [[process, atS]] }, atS);
  await rig.processor.shutdown();
  for (const atS of [2, 3]) playSecond({ rig: other, meter, used: [[process, atS]] }, atS);
  await other.processor.shutdown();
  const next = new Rig();
  for (const atS of [4, 5]) playSecond({ rig: next, meter, used: [[process, atS]] }, atS);
  // The three seconds since the first one ended, which the other one has booked for itself.
  assert.deepEqual(next.parts(), { attributed: 10, gap: 30 });
});

test('attribution counts no energy twice when it is replaced just after a counter has fallen', async () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const scan = (of: Rig, atS: number, joules: number) => {
    of.energy(meter, atS, joules);
    of.boundary(atS, atS);
  };
  for (const atS of [0, 1, 2, 3]) scan(rig, atS, 10 * atS);
  for (const atS of [4, 5]) scan(rig, atS, 7);
  await rig.processor.shutdown();
  const next = new Rig();
  for (const atS of [6, 7]) scan(next, atS, 7 + 10 * (atS - 5));
  await next.processor.shutdown();
  assert.deepEqual([sumOf(rig.parts()), sumOf(next.parts())], [30, 20]);
});

test('attribution counts no energy twice when it is replaced before its first window', async () => {
  const { rig, meter, process } = playBusy();
  await rig.processor.shutdown();
  for (const atS of [2, 3]) {
    const short = new Rig();
    short.energy(meter, atS, 10 * atS);
    await short.processor.shutdown();
    assert.deepEqual(short.parts(), {});
  }
  const last = new Rig();
  playSecond({ rig: last, meter, used: [[process, 4]] }, 4);
  playSecond({ rig: last, meter, used: [[process, 5]] }, 5);
  assert.equal(sumOf(last.parts()), 40);
});

for (const [stepS, fromS] of [
  [1, 101],
  // The energy of the domains since the host's last reading, at 100 s, is not known from 100 s to 101 s.
  [5, 105],
] as const) {
  test(`attribution that replaces another one continues the remainder of a host, read every ${stepS} s, where all is known`, async () => {
    const machine = new HostMachine();
    const remainderJ = (atS: number) => machine.hostJoules(atS) - machine.cpuJoules(atS) - 10 * atS;
    const play = (firstS: number, lastS: number) => {
      for (let atS = firstS; atS <= lastS; atS++) {
        machine.play(atS, { fromS: atS, isHostRead: atS % stepS === 0 });
      }
    };
    play(0, 101);
    await machine.replace();
    play(103, 200);
    await machine.rig.processor.shutdown();
    const { attributed = NaN, gap = 0, no_usage: rest = NaN } = machine.remainder();
    assertNear(attributed + gap + rest, remainderJ(200) - remainderJ(fromS), 1e-6);
  });
}

test('attribution that replaces another one continues the remainder of psys, which the other one has confirmed', async () => {
  const machine = new HostMachine();
  const insideJ = (atS: number) => machine.cpuJoules(atS) + 10 * atS;
  machine.addPlatform((atS) => 1.1 * insideJ(atS) + 15 * atS);
  machine.play(60, { isHostRead: false });
  await machine.replace();
  machine.play(70, { fromS: 61, isHostRead: false });
  await machine.rig.processor.shutdown();
  const { 1: first, 2: second, attributed = NaN, gap = 0, no_usage: rest = NaN } = machine.remainder();
  // Nothing is missing; the usage of the first second is not known.
  assertNear(attributed + gap + rest, 0.1 * (insideJ(70) - insideJ(60)) + 150, 1e-6);
  assertNear(first, 0.75 * 0.1 * (insideJ(70) - insideJ(61)), 1e-3);
  assertNear(second, 0.25 * 0.1 * (insideJ(70) - insideJ(61)), 1e-3);
});
