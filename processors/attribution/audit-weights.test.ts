import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { confirm, linesOf, play, playHistory, playInstances } from './audit.fixture.js';
import { playSecond, Rig, RigProcess } from './rig.fixture.js';

test('attribution writes sheets of random histories with two packages whose figures can be recomputed', async () => {
  const found = new Set<string>();
  for (const seed of [4, 5, 7, 8, 9, 12, 13, 140]) {
    const weights = [{ hw_type: 'cpu', model: 'frequency_cpu_time', ...(seed > 8 && { gamma: 2 }) }];
    const idle = ['separate', 'proportional', 'equal'][seed % 3];
    const lines = await playHistory(seed, 100, { weights: seed % 2 === 0 ? weights : [byCosts], idle });
    assert.ok(confirm(lines).windows > 50);
    for (const line of lines) found.add(/"weight":"(\w+)"/u.exec(line)?.[1] ?? '');
  }
  const every = [
    'cache_misses',
    'counters',
    'cpu_time',
    'frequency_cpu_time',
    'gpu_time',
    'memory_bandwidth',
  ];
  assert.deepEqual([...found].filter(Boolean).toSorted(), every);
});

const byCosts = { hw_type: 'cpu', counters: ['cycles'], max_error: 100 };

test('An audit names the workload whose event costs differ', async () => {
  const lines = [...(await playHistory(9, 100, { weights: [byCosts] }))];
  const number = lines.findLastIndex((line) => /"weight":"counters".*"used":\[\[/u.test(line));
  const line = lines[number] ?? assert.fail('no such window');
  const tamper = (pattern: RegExp, replacement: string) =>
    lines.with(number, line.replace(pattern, replacement));
  confirm(lines);
  assert.throws(() => confirm(tamper(/"counts":\[\d/u, '"counts":[99')), {
    message: /^cost of all events in the window of cpu "/u,
  });
  assert.throws(() => confirm(tamper(/("used":\[\[\d+,)(\d)/u, '$199$2')), {
    message: /^cost of events of workload \{/u,
  });
});

test('An audit names the window whose minimum power differs', async () => {
  const path = join(createFolder(), 'audit.jsonl');
  const rig = new Rig({ audit: { path } });
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  for (let atS = 0; atS <= 5; atS++) playSecond({ rig, meter, used: [[process, atS]] }, atS);
  await rig.processor.shutdown();
  const lines = linesOf(path);
  confirm(lines);
  const at = lines.findLastIndex((line) => line.includes('"least_w":10'));
  const tampered = lines.with(at, (lines[at] ?? '').replace('"least_w":10', '"least_w":9'));
  assert.throws(() => confirm(tampered), {
    message: /^least power in the window .*: expected 10, found 9$/u,
  });
});

test('An audit names the GPU instance whose energy differs', async () => {
  const lines = await playInstances(5);
  assert.ok(confirm(lines).windows >= 4);
  const at = lines.findLastIndex((line) => line.includes('"instances":[["MIG-1",100000000,16666666667]'));
  const tampered = lines.with(at, (lines[at] ?? '').replace('16666666667', '16666666666'));
  assert.throws(() => confirm(tampered), {
    message:
      /^part of instance "MIG-1" in the window of gpu "GPU-1" .*: expected 16666666667 nJ, found 16666666666 nJ$/u,
  });
});

test('An audit reports an invalid weight of a window', async () => {
  const lines = linesOf(await play({ seed: 1 }));
  const tamper = (weight: string) =>
    lines.map((line) =>
      !line.includes('"reason":"unseen"')
        ? line
        : line.replace('"weight":"cpu_time"', `"weight":"${weight}"`),
    );
  assert.throws(() => confirm(tamper('gpu_time')), {
    message: /^what it is shared by in the window .* expected cpu_time, found gpu_time$/u,
  });
  // Otherwise the error would differ, too.
  assert.throws(() => confirm(tamper('memory_bandwidth')), { message: /^error in the window/u });
});
