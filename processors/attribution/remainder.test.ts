import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fitCalibration, saveCalibration } from '../../src/energy/calibration.js';
import { hostEnergy } from '../../src/model/shared-metrics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { assertNear, HostMachine, measured } from './host-machine.fixture.js';
import { Rig, RigProcess } from './rig.fixture.js';

test('attribution makes what a host uses beyond its domains a separate domain, to the nanojoule', () => {
  const machine = new HostMachine();
  machine.play(20);
  void machine.rig.processor.shutdown();
  assertNear(machine.sum(), machine.hostJoules(20), 1e-8);
  const expected = machine.hostJoules(20) - machine.cpuJoules(20) - 200;
  assertNear(machine.remainder()['no_usage'], expected, 1e-8);
  assert.equal(machine.remainder()['1'], undefined, 'no losses are known of after 20 s');
});

test('attribution charges losses to workloads, once a regression has found them, and never fans and disks', () => {
  const machine = new HostMachine();
  machine.play(40);
  const before = machine.remainder();
  machine.play(240, { fromS: 41 });
  void machine.rig.processor.shutdown();
  const grown = (key: string) => (machine.remainder()[key] ?? NaN) - (before[key] ?? 0);
  const domainJ = machine.cpuJoules(240) + 2400 - machine.cpuJoules(40) - 400;
  assertNear(grown('1'), 0.75 * 0.2 * domainJ, 1e-3);
  assertNear(grown('2'), 0.25 * 0.2 * domainJ, 1e-3);
  assertNear(grown('no_usage'), 30 * 200, 1e-3);
  assertNear(machine.sum(), machine.hostJoules(240), 1e-7);
});

test('attribution separates idle energy from a remainder with a configured floor, and shares it if all idle energy is shared', () => {
  for (const idle of ['separate', 'proportional', 'equal']) {
    const machine = new HostMachine({ idle, floor: [{ hw_type: 'remainder', power: 25 }] });
    machine.play(40);
    const before = machine.remainder();
    machine.play(240, { fromS: 41 });
    void machine.rig.processor.shutdown();
    const grown = (key: string) => (machine.remainder()[key] ?? 0) - (before[key] ?? 0);
    const lossJ = 0.2 * (machine.cpuJoules(240) + 2400 - machine.cpuJoules(40) - 400);
    assertNear(grown('idle'), idle === 'separate' ? 25 * 200 : 0, 1e-3);
    assertNear(grown('no_usage'), 5 * 200, 1e-3);
    assertNear(grown('1') + grown('2'), lossJ + (idle === 'separate' ? 0 : 25 * 200), 1e-3);
    if (idle === 'equal') assertNear(grown('1') - grown('2'), 0.5 * lossJ, 1e-3);
  }
});

test('attribution offsets what a lagging meter of the host shows too little against later windows', () => {
  const machine = new HostMachine();
  machine.play(101, { lagS: 1 });
  void machine.rig.processor.shutdown();
  // A second at full power, and the decrease while the meter still showed it, are the difference between the
  // two curves.
  assertNear(machine.sum(), machine.hostJoules(101), 200);
  assert.ok(machine.sum() >= machine.cpuJoules(101) + 1010, 'the domains are all in it');
});

test('attribution has no remainder if a domain of the host is estimated', () => {
  const machine = new HostMachine({}, { 'energy.method': 'estimated' });
  machine.play(20);
  void machine.rig.processor.shutdown();
  assert.deepEqual(machine.remainder(), {});
  assertNear(machine.sum(), machine.cpuJoules(20) + 200, 1e-8);
});

test('attribution leaves out the remainder while a domain is not read', () => {
  const machine = new HostMachine();
  machine.play(20);
  machine.rig.end(20, machine.cpu);
  machine.play(25, { fromS: 21, isCpuRead: false });
  const restarted = machine.rig.createMeter(measured, 26);
  for (let atS = 26; atS <= 40; atS++) {
    machine.rig.energy(restarted, atS, machine.cpuJoules(atS) - machine.cpuJoules(26));
    machine.play(atS, { fromS: atS, isCpuRead: false });
  }
  void machine.rig.processor.shutdown();
  const remainderJ = (fromS: number, toS: number) =>
    machine.hostJoules(toS) -
    machine.hostJoules(fromS) -
    machine.cpuJoules(toS) +
    machine.cpuJoules(fromS) -
    10 * (toS - fromS);
  const { no_usage: rest = NaN, attributed = NaN } = machine.remainder();
  assertNear(rest + attributed, remainderJ(0, 20) + remainderJ(26, 40), 1e-8);
});

test('attribution uses losses and idle energy from a calibration, from the first window on', () => {
  const path = join(createFolder(), 'calibration.json');
  const pairs = [10, 50, 110].map((sensors) => ({ sensors, meter: 28 + 1.1 * sensors }));
  saveCalibration(path, 'bmc', fitCalibration(pairs, pairs.slice(0, 1), { at: 0, sensors: [] }));
  const machine = new HostMachine({ calibration_file: path });
  machine.play(20);
  void machine.rig.processor.shutdown();
  const domainJ = machine.cpuJoules(20) + 200;
  const { 1: first, 2: second, idle, no_usage: rest } = machine.remainder();
  assertNear(first, 0.75 * 0.1 * domainJ, 1e-6);
  assertNear(second, 0.25 * 0.1 * domainJ, 1e-6);
  // 28 W and a tenth of 10 W.
  assertNear(idle, 29 * 20, 1e-6);
  assertNear(rest, 20 + 0.1 * domainJ, 1e-6);
});

test('attribution works without a calibration that cannot be read', () => {
  const path = join(createFolder(), 'calibration.json');
  writeFileSync(path, '{');
  const machine = new HostMachine({ calibration_file: path });
  machine.play(20);
  void machine.rig.processor.shutdown();
  assert.match(
    machine.rig.logLines.join('\n'),
    /warn.*Cannot parse .*calibration\.json.*; losses are found by regression/u,
  );
  assert.ok((machine.remainder()['no_usage'] ?? 0) > 0);
});

/** The remainder's energy of each window in joules, and its published error. */
function listRemainders({ out }: Rig): readonly { readonly joules: number; readonly error: number }[] {
  let total = 0;
  return out.tables.flatMap(({ series, values }) => {
    const own = [...series.entries()].filter(([, { attributes }]) => attributes['hw.type'] === 'remainder');
    const error = own.find(([, { metric }]) => metric.name === 'attribution.error');
    if (error === undefined) return [];
    const parts = own.filter(([, { metric }]) => metric.name === 'ledger.energy');
    const before = total;
    total = parts.reduce((sum, [i]) => sum + (values[i] ?? NaN), 0);
    return [{ joules: total - before, error: values[error[0]] ?? NaN }];
  });
}

test('attribution publishes an error of the remainder that holds for 95 % of windows if the power of the host is read every 5 s', (t) => {
  const rig = new Rig({
    cpu_count: 1,
    floor: [
      { hw_type: 'cpu', power: 40 },
      { hw_type: 'remainder', power: 30 },
    ],
  });
  const random = createRandom(7);
  const cpu = rig.createMeter(measured);
  const power = { 'energy.interface': 'ipmi' };
  const bmc = rig.createMeter({ ...measured, ...power, 'hw.type': 'host', 'hw.id': 'bmc' });
  const host = { ...bmc, metric: hostEnergy };
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  let [busyS, cpuJ, hostJ, watts] = [0, 0, 0, 40];
  for (let atS = 0; atS <= 1500; atS++) {
    rig.energy(cpu, atS, cpuJ);
    // 30 W beyond the package.
    if (atS % 5 === 0) rig.energy(host, atS, (hostJ += atS === 0 ? 0 : 5 * (watts + 30)));
    rig.usage(atS, [[process, busyS]]);
    rig.boundary(atS, busyS);
    const isBusy = random.chance(0.5);
    watts = isBusy ? 100 : 40;
    busyS += isBusy ? 1 : 0;
    cpuJ += watts;
  }
  const windows = listRemainders(rig);
  assert.ok(windows.length > 200, `${windows.length} windows`);
  const covered = windows.filter(({ joules, error }) => {
    return error === 1 || Math.abs(joules - 150) <= 1.001 * error * joules;
  });
  t.diagnostic(`${covered.length} of ${windows.length} windows`);
  assert.ok(covered.length >= 0.95 * windows.length, `${covered.length} of ${windows.length} windows`);
});

test('attribution charges losses to the processes that cause them, if the meter of the host is refreshed between the scans', () => {
  const path = join(createFolder(), 'calibration.json');
  const pairs = [10, 50, 110].map((sensors) => ({ sensors, meter: 28 + 1.2 * sensors }));
  saveCalibration(path, 'bmc', fitCalibration(pairs, pairs.slice(0, 1), { at: 0, sensors: [] }));
  const rig = new Rig({ calibration_file: path });
  const cpu = rig.createMeter(measured);
  const host = { ...cpu, metric: hostEnergy, attributes: { 'hw.type': 'host', 'hw.id': 'bmc', ...measured } };
  const processes = [1, 2].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  const random = createRandom(7);
  // One process is busy on a CPU or not at all, the other on half of one, for a second each.
  const used: (readonly [number, number])[] = [[0, 0]];
  const cpuJoules = (atS: number) => {
    const [from, to] = [Math.floor(atS + 1e-9), Math.ceil(atS - 1e-9)].map(
      (i) => 10 * (used[i][0] + used[i][1]),
    );
    return 10 * atS + from + (atS - Math.floor(atS + 1e-9)) * (to - from);
  };
  for (let atS = 0; atS <= 1000; atS++) {
    for (let tenths = atS === 0 ? 0 : 10 * atS - 9; tenths <= 10 * atS; tenths++) {
      // Refreshed half a second after each scan.
      const refreshedS = Math.max(0, Math.floor((tenths - 5) / 10) + 0.5);
      rig.energy(host, tenths / 10, 1.2 * cpuJoules(refreshedS) + 28 * refreshedS);
    }
    const [first, second] = used[atS];
    rig.energy(cpu, atS, cpuJoules(atS));
    rig.usage(atS, [
      [processes[0], first],
      [processes[1], second],
    ]);
    rig.boundary(atS, first + second);
    used.push([first + Math.round(random.fraction()), second + 0.5 * Math.round(random.fraction())]);
  }
  void rig.processor.shutdown();
  const charged = rig.out
    .last('process.energy')
    .filter(({ series }) => series.attributes['hw.type'] === 'remainder');
  const joulesOf = (pid: number) =>
    charged.find(({ series }) => series.resource.attributes['process.pid'] === pid)?.value ?? NaN;
  const [first, second] = [joulesOf(1), joulesOf(2)];
  const [firstS, secondS] = used[1000];
  assertNear(first / second, firstS / secondS, 0.1);
  // The meter shows means of a second each, of which neither process may have used more than its losses.
  const share = (first + second) / (2 * (firstS + secondS));
  assert.ok(share > 0.85 && share < 1, `${share}`);
});
