import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessStat } from './process-stat.js';
import { describeStat } from './process-stat.fixture.js';

/** Parses text that stands at the beginning of a buffer with the remains of an earlier reading. */
function parse(text: string | Uint8Array): ProcessStat | undefined {
  const bytes = Buffer.alloc(4096, ') 7 ');
  const length = Buffer.from(text).copy(bytes);
  const stat = new ProcessStat();
  return stat.parse(bytes, length) ? stat : undefined;
}

const nameOf = (stat: ProcessStat | undefined): string | undefined =>
  stat && Buffer.from(stat.copyName()).toString();

test('ProcessStat takes each field from its place, in a line of a real kernel', () => {
  const stat = parse(
    '4242 (node) S 4100 4242 4100 34816 4242 4194304 190500 120 17 3 881 204 15 6 20 0 11 0 987654 ' +
      '1105985536 15230 18446744073709551615 4194304 4238549 140723 0 0 0 0 16781312 134234626 0 0 0 17 1 0 0\n',
  );
  assert.equal(nameOf(stat), 'node');
  assert.equal(stat?.parentPid, 4100);
  assert.equal(stat.processGroup, 4242);
  assert.equal(stat.terminal, 34_816);
  assert.equal(stat.foregroundGroup, 4242);
  assert.equal(stat.flags, 4_194_304);
  assert.equal(stat.minorFaults, 190_500);
  assert.equal(stat.majorFaults, 17);
  assert.equal(stat.userTicks, 881);
  assert.equal(stat.systemTicks, 204);
  assert.equal(stat.childUserTicks, 15);
  assert.equal(stat.childSystemTicks, 6);
  assert.equal(stat.threads, 11);
  assert.equal(stat.startTicks, 987_654);
  assert.equal(stat.virtualBytes, 1_105_985_536);
  assert.equal(stat.residentPages, 15_230);
  assert.equal(stat.isKernelThread, false);
  assert.equal(stat.isZombie, false);
});

test('ProcessStat finds the name, whatever stands in it', () => {
  for (const comm of [
    '',
    'a) R 1 (b',
    '((',
    '))',
    'two words',
    'new\nline',
    ') S 1 2 3',
    'kworker/0:1-events',
  ]) {
    const stat = parse(describeStat(7, { comm, startTicks: 55 }));
    assert.equal(nameOf(stat), comm);
    assert.equal(stat?.startTicks, 55);
  }
});

test('ProcessStat keeps the bytes of a name that is no text', () => {
  const line = Buffer.from(describeStat(7, { comm: 'XY' }));
  line[line.indexOf('X')] = 0xff;
  assert.deepEqual([...(parse(line)?.copyName() ?? [])], [0xff, 0x59]);
});

test('ProcessStat gives a copy of the name, which stays when the next file is read', () => {
  const bytes = Buffer.from(describeStat(7, { comm: 'bash' }));
  const stat = new ProcessStat();
  stat.parse(bytes, bytes.length);
  const name = stat.copyName();
  bytes.write('dash', bytes.indexOf('bash'));
  stat.parse(bytes, bytes.length);
  assert.equal(Buffer.from(name).toString(), 'bash');
  assert.equal(stat.isNamed(name), false);
});

test('ProcessStat compares names byte by byte', () => {
  const stat = parse(describeStat(7, { comm: 'bash' }));
  assert.equal(stat?.isNamed(Buffer.from('bash')), true);
  assert.equal(stat?.isNamed(Buffer.from('bash2')), false);
  assert.equal(stat?.isNamed(Buffer.from('dash')), false);
});

test('ProcessStat knows kernel threads and the dead', () => {
  assert.equal(parse(describeStat(2, { flags: 0x20_8040 }))?.isKernelThread, true);
  assert.equal(parse(describeStat(2, { state: 'Z' }))?.isZombie, true);
  assert.equal(parse(describeStat(2, { state: 'X' }))?.isZombie, true);
});

test('ProcessStat refuses what is no such file', () => {
  for (const text of ['', '12', '12 (name', '12 (name) S 1 2 3', 'no numbers at all (x) y']) {
    assert.equal(parse(text), undefined);
  }
});

test('ProcessStat.read reads a process and each of its threads, and nothing of one that is gone', () => {
  const stat = new ProcessStat();
  assert.ok(stat.read('/proc/self'));
  assert.equal(stat.parentPid, process.ppid);
  const { processGroup } = stat;
  assert.ok(stat.read(`/proc/self/task/${process.pid}`));
  assert.equal(stat.processGroup, processGroup);
  assert.equal(stat.read(`/proc/${2 ** 22 + 1}`), false);
});
