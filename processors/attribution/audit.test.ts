import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { byTime } from '../../src/usage/weighing.js';
import { AuditFile } from './audit-file.js';
import type { SettledWindow } from './audit-sheet.js';
import { confirm, linesOf, play } from './audit.fixture.js';
import { playRandomMachine } from './random-machine.fixture.js';
import { playSecond, Rig, RigProcess } from './rig.fixture.js';

for (const idle of ['separate', 'proportional', 'equal']) {
  test(`attribution writes sheets whose figures can be recomputed, with idle: ${idle}`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const lines = linesOf(await play({ seed, settings: { idle }, hasHost: seed % 3 === 0 }));
      const { windows, figures, missing } = confirm(lines);
      assert.equal(windows, lines.filter((line) => line.startsWith('{"window"')).length);
      assert.ok(windows > 100 && figures > 1000, `${windows} windows`);
      assert.equal(missing, 0);
    }
  });
}

/** A change of one figure of a window, and the resulting message. */
interface Tampering {
  readonly pattern: RegExp;
  readonly replacement: string;
  readonly message: RegExp;
}

const addOne = (text: string) => String(Number(text) + 1);

const tamperings: Readonly<Record<string, Tampering>> = {
  'what the curve had': {
    pattern: /"from_nj":(\d+)/u,
    replacement: '"from_nj":',
    message: /^curve at the beginning in the window of cpu "/u,
  },
  energy: { pattern: /"energy_nj":(\d+)/u, replacement: '"energy_nj":', message: /^energy in the window/u },
  'a knot': {
    pattern: /"knots_to":\[\d+,\d+,\d+,(\d+)0/u,
    replacement: '',
    message: /^energy in the window/u,
  },
  carry: { pattern: /"carry_nj":(\d+)/u, replacement: '"carry_nj":', message: /^carry of the floor in/u },
  floor: { pattern: /"floor_w":(4)\./u, replacement: '"floor_w":', message: /^idle energy in the window/u },
  'busy time': { pattern: /"busy_ns":(\d+)/u, replacement: '"busy_ns":', message: /^whole of the usage in/u },
  whole: { pattern: /"whole_ns":(\d+)/u, replacement: '"whole_ns":', message: /^whole of the usage in/u },
  'idle energy': { pattern: /"idle_nj":(\d+)/u, replacement: '"idle_nj":', message: /^idle energy in/u },
  'attributed energy': {
    pattern: /"attributed_nj":(\d+)/u,
    replacement: '"attributed_nj":',
    message: /^attributed energy in/u,
  },
  'unattributed energy': {
    pattern: /"unattributed_nj":(\d+)/u,
    replacement: '"unattributed_nj":',
    message: /^unattributed energy in/u,
  },
  'a share': {
    pattern: /"used":\[\[\d+,\d+,\d+,(\d+)/u,
    replacement: '',
    message:
      /^share of workload \{.*"process\.pid":\d+.*\} in the window of cpu ".*" from 2027-.*Z to 2027-.*Z: expected \d+ nJ, found \d+ nJ$/u,
  },
  'a weight': {
    pattern: /"used":\[\[\d+,(\d+)/u,
    replacement: '',
    message: /^(?:share of workload|whole of the usage)/u,
  },
  'the error': { pattern: /"error":0\.\d*?([1-8])/u, replacement: '', message: /^error in/u },
  'the lag': { pattern: /"lag_ns":([1-9])/u, replacement: '', message: /^error in/u },
  'the error of the floor': { pattern: /"floor_error_w":(0)/u, replacement: '', message: /^error in/u },
  'a part of a view': {
    pattern: /"parts":\[\[\d+,(\d+)/u,
    replacement: '',
    message: /^part of group \{.*\} in the window/u,
  },
};

const shared = /"attributed_nj":[1-9].*"reason":"unseen".*"error":0\./u;

for (const [what, { pattern, message }] of Object.entries(tamperings)) {
  test(`An audit names the window in which ${what} was changed`, async () => {
    const lines = [...linesOf(await play({ seed: 1 }))];
    const cpus = lines.flatMap((line) => /^\{"domain":(\d+),"hw_type":"cpu"/u.exec(line)?.[1] ?? []);
    const isOfCpu = (line: string) => cpus.some((number) => line.startsWith(`{"window":${number},`));
    // Neither the first window nor one in which nothing was shared, or whose error is at its limit.
    const candidates = [...lines.entries()].filter(
      ([, line]) => isOfCpu(line) && pattern.test(line) && shared.test(line),
    );
    const [number, line] = candidates[45] ?? assert.fail('no such window');
    lines[number] = line.replace(pattern, (all: string, figure: string) => {
      const at = all.lastIndexOf(figure);
      return all.slice(0, at) + addOne(figure) + all.slice(at + figure.length);
    });
    assert.notEqual(lines[number], line);
    confirm(lines.slice(0, number));
    assert.throws(() => confirm(lines.slice(0, number + 1)), { message });
  });
}

test('An audit names the window before which one was removed', async () => {
  const lines = linesOf(await play({ seed: 1 }));
  const ofDomain = [...lines.entries()].filter(([, line]) => line.startsWith('{"window":0,'));
  // Both are in the middle of a curve.
  const [number] = ofDomain[40] ?? assert.fail('no such window');
  assert.doesNotMatch(ofDomain[41]?.[1] ?? '', /knots_from/u);
  assert.throws(() => confirm(lines.toSpliced(number, 1)), {
    message:
      /^beginning in the window of cpu ".*" from .*: expected \d+ ns, the end of the window before, found \d+ ns$/u,
  });
  assert.throws(() => confirm(lines.toSpliced(number + 1, 0, lines[number] ?? '')), {
    message: /^beginning in the window of cpu "/u,
  });
});

test('An audit names a window that ends before it begins', async () => {
  const lines = linesOf(await play({ seed: 1 }));
  const number = lines.findLastIndex((line) => line.startsWith('{"window":0,'));
  const tampered = (lines[number] ?? '').replace(/"to":\d+/u, '"to":5');
  assert.throws(() => confirm(lines.with(number, tampered)), {
    message: /^end in the window of cpu ".*" from .*: expected more than \d+ ns, its beginning, found 5 ns$/u,
  });
});

test('An audit names a reason that is inconsistent', async () => {
  const lines = linesOf(await play({ seed: 1 }));
  const tampered = lines.map((line) => line.replace('"reason":"unseen"', '"reason":"gap"'));
  assert.throws(() => confirm(tampered), {
    message: /^reason in the window .* expected unseen, found gap$/u,
  });
});

test('An audit reports lines that are not sheets', async () => {
  const lines = linesOf(await play({ seed: 1, scans: 20 }));
  const last = lines.at(-1) ?? '';
  assert.throws(() => confirm([...lines, last.slice(0, 60)]), {
    message: /^expected a line of JSON, found one/u,
  });
  assert.throws(() => confirm(lines.slice(1)), { message: /^expected the first line of an audit file/u });
  assert.throws(() => confirm([...lines, '{}']), {
    message: /^expected a domain, a workload, a group or a window/u,
  });
  for (const figure of ['1.5', '-', '"1"', 'null', '1e999']) {
    const tampered = last
      .replace(/"carry_nj":[\d.]+/u, `"carry_nj":${figure}`)
      .replace(/"to":\d+/u, '"to":1.5');
    assert.throws(() => confirm([...lines, tampered]), {
      message: /^expected (?:whole numbers|a line of JSON)/u,
    });
  }
});

test('attribution continues an audit file whose last line was truncated, and rotates it when it exceeds its size', async () => {
  const path = await play({ seed: 1, scans: 20 });
  const whole = readFileSync(path, 'utf8');
  writeFileSync(path, whole.slice(0, -50));
  const rig = new Rig({ audit: { path, max_megabytes: 1, max_backups: 2 } });
  playRandomMachine(rig, { seed: 3, scans: 2500, scanS: 1 });
  await rig.processor.shutdown();
  const folder = path.slice(0, -'/audit.jsonl'.length);
  assert.deepEqual(
    readdirSync(folder).toSorted().slice(0, 3),
    ['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2'].slice(0, readdirSync(folder).length),
  );
  const backup = linesOf(`${path}.1`);
  assert.ok(confirm(backup).windows > 100);
});

test('attribution continues in the same audit file if it cannot be renamed to a backup', async () => {
  const path = await play({ seed: 1, scans: 20 });
  // A file cannot replace a folder that is not empty.
  mkdirSync(join(`${path}.1`, 'a'), { recursive: true });
  const log = createLogCollector();
  const rig = new Rig(
    { audit: { path, max_megabytes: 1, max_backups: 1 }, floor: [{ power: 4 }] },
    createFakeContext({ log }),
  );
  playRandomMachine(rig, { seed: 3, scans: 2500, scanS: 1 });
  await rig.processor.shutdown();
  assert.ok(log.lines.some((line) => line.includes(`Cannot write ${path}`)));
  const { windows, missing } = confirm(linesOf(path));
  assert.ok(windows > 2500);
  assert.equal(missing, 0);
});

test('attribution loses only windows of the audit file while its disk is full', async () => {
  const path = join(createFolder(), 'audit.jsonl');
  symlinkSync('/dev/full', path);
  const log = createLogCollector();
  const rig = new Rig({ audit: { path }, floor: [{ power: 4 }] }, createFakeContext({ log }));
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '/a' }, 0);
  for (let second = 0; second < 5; second++) playSecond({ rig, meter, used: [[process, second]] }, second);
  await until(() => log.lines.some((line) => line.includes('ENOSPC')));
  rmSync(path);
  for (let second = 5; second < 10; second++) playSecond({ rig, meter, used: [[process, second]] }, second);
  await rig.processor.shutdown();
  const { windows, missing } = confirm(linesOf(path));
  assert.deepEqual([windows + missing, missing > 0], [9, true]);
  assert.equal(log.lines.filter((line) => line.includes(`Cannot write ${path}`)).length, 1);
  assert.ok(log.lines.some((line) => line.includes('Recovered')));
  assert.equal(rig.parts()['attributed'], 54);
});

test('AuditFile marks where windows are missing because too many were queued', async () => {
  const path = join(createFolder(), 'audit.jsonl');
  const file = new AuditFile({ path, max_megabytes: 100, max_backups: 0 }, createLogCollector());
  file.add(createWindow(0, 600_000));
  file.add(createWindow(1, 0));
  file.add(createWindow(2, 0));
  await until(() => existsSync(path));
  file.add(createWindow(3, 0));
  file.add(createWindow(4, 600_000));
  file.add(createWindow(5, 0));
  await file.close();
  const written = linesOf(path).map((line) => /^\{"missing":\d+\}|"from":\d+/u.exec(line)?.[0]);
  assert.deepEqual(
    written.filter((line) => line !== undefined),
    ['"from":0', '{"missing":2}', '"from":3000000000', '"from":4000000000', '{"missing":1}'],
  );
});

const domain = {
  series: { metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n },
  weights: 'cpu_time',
  options: { idle: 'separate', views: [], epoch: 0n },
} as const;

const parts = {
  aboveFloorNj: 0,
  idleNj: 0,
  attributedNj: 0,
  unattributedNj: 0,
  interruptNj: 0,
  reason: 'no_usage',
  dynamicNj: 0,
  wholeNs: 0,
} as const;

/** A settled window of a domain without workloads. @param entries number of entries that it counts for in the queue */
function createWindow(second: number, entries: number): SettledWindow {
  const usage = { firstTo: 0, to: 0, busyNs: 0, workloads: [], cpuNs: [], lifeNs: [], isGap: false };
  const window = {
    from: second * 1e9,
    to: (second + 1) * 1e9,
    energyNj: 0,
    refreshNs: 0,
    lagNs: 0,
    edgeNs: 0,
  };
  return {
    domain,
    window: { ...window, tickNs: 0, usage },
    parts,
    shares: new Float64Array(entries),
    floorWatts: undefined,
    carryNj: 0,
    weight: byTime,
    instanceNj: [],
    uncertainty: { error: 0, timeShare: 1, floorErrorWatts: undefined, leastWatts: Infinity },
  };
}
