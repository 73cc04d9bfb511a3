import assert from 'node:assert/strict';
import { symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Counts } from '../../src/scraping/counts.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { CpuStat } from './cpu-files.js';
import { write } from './fake-cgroups.fixture.js';
import type { FileParser } from './file-reader.js';
import { createBlkio, createIoStat, DeviceNames } from './io-files.js';
import { KeyedLines, parseSingle } from './keyed-lines.js';
import { cgroupNames, diskOperations } from './metrics.js';
import type { SlotScope } from './slots.js';

/**
 * Parses the texts of a file one after another. @returns the values by attributes after the last one, and all
 * ended series
 */
function parse(parser: FileParser, zeroAtNs: bigint | undefined, ...texts: readonly string[]) {
  const scope: SlotScope = { resource: { attributes: {} }, nowNs: 1n, zeroAtNs, isChanged: false, ended: [] };
  const results = texts.map((text) => {
    scope.nowNs += 1n;
    return parser.parse(Buffer.from(text), text.length, scope);
  });
  const values = parser.slots.flatMap((slot) =>
    slot.series.map(({ metric, attributes }, i): [string, number] => [
      [metric.name, ...Object.values(attributes)].join(' '),
      slot.values[i] ?? NaN,
    ]),
  );
  return { results, values: Object.fromEntries(values), scope };
}

test('KeyedLines finds keys in any order, whole keys only, and 64-bit numbers', () => {
  const lines = new KeyedLines(['anon', 'file', 'none']);
  const text = 'inactive_anon 7\nfile 18446744073709551615\nanon_thp 8\nanon 5\nfile_mapped 9\n';
  assert.equal(lines.parse(Buffer.from(text), text.length), 2);
  assert.deepEqual([lines.has(0), lines.has(1), lines.has(2)], [true, true, false]);
  assert.equal(lines.counts.read(0), 5);
  assert.deepEqual([lines.counts.billions[1], lines.counts.units[1]], [18446744073, 709551615]);
  assert.equal(lines.parse(Buffer.from('anon x\n'), 7), 0);
  assert.equal(lines.has(0), false);
});

const read = (text: string) => parseSingle(Buffer.from(text), text.length, new Counts(1));

test('parseSingle distinguishes a number, no limit and anything else', () => {
  assert.deepEqual(
    [read('12\n'), read('max\n'), read(''), read('-1\n'), read('ma')],
    [12, Infinity, NaN, NaN, NaN],
  );
});

test('createIoStat reads every device that has numbers, and counts all I/O of a device that appears later', () => {
  const sysfs = createFolder();
  write(sysfs, { 'dev/block/keep': '' });
  symlinkSync('../../devices/pci0/block/cciss!c0d0', join(sysfs, 'dev/block/104:0'));
  const { results, values } = parse(
    createIoStat(cgroupNames, new DeviceNames(sysfs)),
    undefined,
    '8:0 \n104:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n',
    '8:0 \n259:1 rbytes=5 wbytes=6 rios=7 wios=8\n104:0 rbytes=11 wbytes=22 rios=2 wios=4 dbytes=0 dios=0\nbad\n',
  );
  assert.deepEqual(results, [true, true]);
  assert.deepEqual(values, {
    'linux.cgroup.disk.io read cciss/c0d0': 1,
    'linux.cgroup.disk.io write cciss/c0d0': 2,
    'linux.cgroup.disk.operations read cciss/c0d0': 1,
    'linux.cgroup.disk.operations write cciss/c0d0': 2,
    'linux.cgroup.disk.io read 259:1': 0,
    'linux.cgroup.disk.io write 259:1': 0,
    'linux.cgroup.disk.operations read 259:1': 0,
    'linux.cgroup.disk.operations write 259:1': 0,
  });
});

test('createBlkio reads the lines of each device, and ignores their totals', () => {
  const text =
    '254:0 Read 3\n254:0 Write 4\n254:0 Sync 1\n254:0 Async 1\n254:0 Discard 0\n254:0 Total 9\nTotal 9\n';
  const { values } = parse(
    createBlkio('blkio.throttle.io_serviced_recursive', diskOperations, new DeviceNames('/absent')),
    0n,
    'Total 0\n',
    text,
  );
  assert.deepEqual(values, {
    'linux.cgroup.disk.operations read 254:0': 3,
    'linux.cgroup.disk.operations write 254:0': 4,
  });
});

const line = (numbers: string, bytes: number) =>
  `${numbers} rbytes=${bytes} wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n`;

test('createIoStat ends the series of a device that was removed, and counts from 0 for another with its numbers', () => {
  const sysfs = createFolder();
  write(sysfs, { 'dev/block/keep': '' });
  const link = join(sysfs, 'dev/block/8:16');
  symlinkSync('../../devices/pci0/block/sdb', link);
  const parser = createIoStat(cgroupNames, new DeviceNames(sysfs));
  const both = parse(parser, 0n, line('8:0', 10) + line('8:16', 20));
  assert.deepEqual(both.scope.ended, []);
  // A device without numbers, and one whose line is cut off, still exist.
  const present = parse(parser, 1n, `8:0 \n${line('8:16', 20)}`, `${line('8:0', 10)}8:1`);
  assert.deepEqual(present.scope.ended, []);
  const { values, scope } = parse(parser, 1n, line('8:0', 11));
  assert.deepEqual(
    scope.ended.map(({ attributes }) => attributes['system.device']),
    ['sdb', 'sdb', 'sdb', 'sdb'],
  );
  assert.equal(scope.isChanged, true);
  assert.equal(Object.keys(values).length, 4);
  unlinkSync(link);
  symlinkSync('../../devices/pci0/block/sdc', link);
  const again = parse(parser, 5n, line('8:0', 11) + line('8:16', 7));
  assert.equal(again.values['linux.cgroup.disk.io read sdc'], 7);
  assert.equal(parse(parser, 5n, '').scope.ended.length, 8);
});

const lines = (numbers: string) => `${numbers} Read 3\n${numbers} Write 4\n${numbers} Total 7\n`;

test('createBlkio ends the series of a device that was removed', () => {
  const parser = createBlkio(
    'blkio.throttle.io_serviced_recursive',
    diskOperations,
    new DeviceNames('/absent'),
  );
  const { scope } = parse(
    parser,
    0n,
    `${lines('8:0')}${lines('8:16')}Total 14\n`,
    `${lines('8:16')}Total 7\n`,
  );
  assert.deepEqual(
    scope.ended.map(({ attributes }) => attributes['system.device']),
    ['8:0', '8:0'],
  );
});

const throttled = (periods: number) =>
  `usage_usec ${3 + periods}\nuser_usec ${2 + periods}\nsystem_usec 1\nnr_periods ${periods}\nnr_throttled ${periods}\nthrottled_usec ${periods}\n`;

test('CpuStat has throttling only for cgroups with a quota, from when it is set', () => {
  const { values } = parse(new CpuStat(false), undefined, throttled(0));
  assert.deepEqual(Object.keys(values), ['linux.cgroup.cpu.time user', 'linux.cgroup.cpu.time system']);
  const parser = new CpuStat(false);
  const { scope } = parse(parser, 0n, throttled(0));
  const later = parse(parser, scope.nowNs, throttled(5));
  assert.equal(later.values['linux.cgroup.cpu.periods'], 5);
  assert.equal(later.values['linux.cgroup.cpu.throttled_time'], 5e-6);
  assert.deepEqual(later.scope.ended, []);
});

const used = (us: number) => `usage_usec ${us}\nuser_usec ${us}\nsystem_usec 0\n`;

test('CpuStat keeps its series when the sampled time of the root decreases by a tick', () => {
  const parser = new CpuStat(false);
  const { values, scope } = parse(parser, 0n, used(1_000_000), used(990_000), used(1_005_000));
  assert.deepEqual([values['linux.cgroup.cpu.time user'], scope.ended], [1.005, []]);
  assert.equal(parse(parser, 0n, used(500_000)).scope.ended.length, 2);
});

test('CpuStat is the same while the CPU time is that of the last parsed text', () => {
  const parser = new CpuStat(false);
  const isSame = (us: number) => parser.isSame(Buffer.from(used(us)));
  parse(parser, 0n, used(1));
  assert.deepEqual([isSame(1), isSame(2)], [true, false]);
  parse(parser, 0n, used(2));
  assert.deepEqual([isSame(2), isSame(1)], [true, false]);
  // Parsed without a comparison: earlier comparisons have no effect.
  parse(parser, 0n, used(3));
  parse(parser, 0n, used(4));
  assert.deepEqual([isSame(1), isSame(4)], [false, true]);
  const limited = new CpuStat(false);
  parse(limited, 0n, throttled(5));
  assert.equal(limited.isSame(Buffer.from(throttled(5))), false);
});

test('CpuStat rejects a text without CPU time', () => {
  assert.deepEqual(parse(new CpuStat(false), 0n, '', 'nonsense', 'user_usec 1\n').results, [
    false,
    false,
    false,
  ]);
});
