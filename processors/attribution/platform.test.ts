import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNear, HostMachine, measured } from './host-machine.fixture.js';

/** A machine whose psys includes the package and the memory, a tenth of both as losses, and 15 W of the board. */
function createMachine(settings: object = {}) {
  const machine = new HostMachine(settings);
  const insideJ = (atS: number) => machine.cpuJoules(atS) + 10 * atS;
  const platformJ = (atS: number) => 1.1 * insideJ(atS) + 15 * atS;
  return { machine, insideJ, platformJ, warnings: () => machine.rig.logLines.filter(isRefutation) };
}

function isRefutation(line: string): boolean {
  return /warn.*Leaving out what "psys/u.test(line);
}

test('attribution makes the remainder of psys beyond its domains a domain, once a regression confirms that it contains them', () => {
  const { machine, insideJ, platformJ, warnings } = createMachine();
  machine.addPlatform(platformJ);
  machine.play(29, { isHostRead: false });
  assert.deepEqual(machine.remainder(), {}, 'nothing is known of psys');
  machine.play(240, { fromS: 30, isHostRead: false });
  void machine.rig.processor.shutdown();
  const { 1: first, 2: second, no_usage: rest, attributed } = machine.remainder();
  // The window that ends at 31 s is the first after 30 points.
  const domainJ = insideJ(240) - insideJ(30);
  assertNear(first, 0.75 * 0.1 * domainJ, 1e-3);
  assertNear(second, 0.25 * 0.1 * domainJ, 1e-3);
  assertNear(attributed, 0.1 * domainJ, 1e-3);
  assertNear(rest, 15 * 210, 1e-3);
  assertNear(machine.sum(), insideJ(240) + platformJ(240) - platformJ(30) - domainJ, 1e-7);
  assert.deepEqual(warnings(), []);
});

test('attribution publishes the error of the losses that psys shows', () => {
  const { machine, platformJ } = createMachine();
  machine.addPlatform(platformJ);
  machine.play(60, { isHostRead: false });
  const errors = machine.rig.out.last('attribution.error');
  const own = errors.find(({ series }) => series.attributes['hw.type'] === 'remainder');
  assert.equal(own?.series.attributes['hw.id'], 'psys');
  assert.ok((own?.value ?? NaN) > 0 && (own?.value ?? NaN) <= 1);
});

test('attribution divides what a host uses beyond its domains into the part within psys and the part around it, to the nanojoule', () => {
  for (const hostIsFirst of [false, true]) {
    const { machine, insideJ, platformJ } = createMachine();
    const hostJ = (atS: number) => 1.05 * platformJ(atS) + 20 * atS;
    const meters = [() => machine.addPlatform(platformJ), () => machine.others.push([machine.host, hostJ])];
    for (const add of hostIsFirst ? meters.toReversed() : meters) add();
    let lacking = 0;
    for (let atS = 0; atS <= 240; atS++) {
      machine.play(atS, { fromS: atS, isHostRead: false });
      assert.ok(machine.sum() <= hostJ(atS) + 1e-7);
      if (machine.sum() < hostJ(atS) - 1e-7) lacking++;
    }
    // At first, and when psys becomes a part of the host, a row waits for the next one.
    assert.ok(lacking <= 3, `${lacking} rows lack energy`);
    const [platform, host] = [machine.remainder('psys'), machine.remainder('bmc')];
    assertNear(sumOf(platform), platformJ(240) - platformJ(30) - insideJ(240) + insideJ(30), 1e-7);
    assertNear(sumOf(host) + sumOf(platform), hostJ(240) - insideJ(240), 1e-7);
    void machine.rig.processor.shutdown();
    assertNear(machine.sum(), hostJ(240), 1e-7);
  }
});

test('attribution continues with the remainder of the host when psys ends', () => {
  const { machine, platformJ } = createMachine();
  const psys = machine.addPlatform(platformJ);
  machine.play(60);
  machine.others.length = 0;
  machine.rig.end(60, psys);
  machine.play(100, { fromS: 61 });
  assertNear(machine.sum(), machine.hostJoules(100), 1e-7);
  void machine.rig.processor.shutdown();
  assertNear(machine.sum(), machine.hostJoules(100), 1e-7);
});

test('attribution does not wait for a constant psys to determine the remainder of the host', () => {
  const { machine } = createMachine();
  machine.addPlatform(() => 5);
  machine.play(60);
  assertNear(machine.sum(), machine.hostJoules(60), 1e-7);
});

test('attribution counts no energy twice if psys is read less often than the host', () => {
  const { machine, platformJ } = createMachine();
  // Refreshed in the middle between two readings.
  machine.addPlatform((atS) => platformJ(Math.max(0, Math.floor(atS - 0.25) + 0.25)));
  machine.play(400, { stepS: 0.5 });
  void machine.rig.processor.shutdown();
  assertNear(machine.sum(), machine.hostJoules(400), 1e-6);
  assert.ok(sumOf(machine.remainder('psys')) > 1000);
});

test('attribution charges nothing beyond the domains if psys is only the package, and logs its power', () => {
  const { machine, insideJ, warnings } = createMachine();
  machine.addPlatform((atS) => machine.cpuJoules(atS));
  machine.play(100, { isHostRead: false });
  void machine.rig.processor.shutdown();
  assert.deepEqual(machine.remainder(), {});
  assertNear(machine.sum(), insideJ(100), 1e-7);
  assert.match(warnings().join('\n'), /it shows 68\.0 W while they use 78\.0 W, and 1\.00 W more/u);
});

test('attribution has no remainder of psys if it is not in joules, does not change or leaves out a GPU', () => {
  const cases: Record<string, (machine: HostMachine, insideJ: number, atS: number) => number> = {
    'a sixteenth of the unit': (_, insideJ) => insideJ / 16,
    '16 times the unit': (_, insideJ) => 16 * insideJ,
    'what moves no more': (_, _insideJ, atS) => Math.min(100, 50 * atS),
    'without the GPU': (_, insideJ, atS) => 1.1 * insideJ + 15 * atS,
  };
  for (const [name, joulesAt] of Object.entries(cases)) {
    const { machine, insideJ, warnings } = createMachine({ cpu_time_excludes: [] });
    machine.addPlatform((atS) => joulesAt(machine, insideJ(atS), atS));
    if (name === 'without the GPU') {
      const gpu = machine.rig.createMeter({ ...measured, 'hw.type': 'gpu', 'hw.id': 'GPU-1' });
      machine.others.push([gpu, (atS) => 300 * atS]);
    }
    machine.play(60, { isHostRead: false });
    void machine.rig.processor.shutdown();
    assert.deepEqual(machine.remainder(), {}, name);
    assert.equal(warnings().length, 1, name);
  }
});

test('attribution has no remainder of psys if the load never changes, since nothing shows what it contains', () => {
  const { machine, warnings } = createMachine();
  machine.addPlatform((atS) => 80 * atS);
  machine.rig.end(0, machine.cpu);
  const even = machine.rig.createMeter(measured);
  machine.others.push([even, (atS) => 40 * atS]);
  machine.play(100, { isCpuRead: false, isHostRead: false });
  void machine.rig.processor.shutdown();
  assert.deepEqual(machine.remainder(), {});
  assert.deepEqual(warnings(), []);
});

test('attribution has no remainder if every socket has a separate psys, or a domain is estimated', () => {
  for (const isEstimated of [false, true]) {
    const machine = new HostMachine({}, isEstimated ? { 'energy.method': 'estimated' } : measured);
    const ids = isEstimated ? ['psys'] : ['psys', 'psys-1'];
    for (const id of ids) machine.addPlatform((atS) => 1.1 * machine.cpuJoules(atS) + 30 * atS, id);
    machine.play(60, { isHostRead: false });
    void machine.rig.processor.shutdown();
    assert.deepEqual(machine.remainder(), {});
  }
});

test('attribution attributes no psys without the domains that it contains', () => {
  const { machine, platformJ } = createMachine();
  const psys = machine.addPlatform(platformJ);
  for (let atS = 0; atS <= 60; atS++) {
    machine.rig.energy(psys, atS, platformJ(atS));
    machine.rig.boundary(atS, atS);
  }
  void machine.rig.processor.shutdown();
  assert.deepEqual(machine.rig.out.last('ledger.energy'), []);
});

function sumOf({ attributed = 0, idle = 0, no_usage: rest = 0, gap = 0 }: Record<string, number>): number {
  return attributed + idle + rest + gap;
}
