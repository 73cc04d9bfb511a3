import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import {
  findFirstReservedFd,
  findOriginalOpenFilesLimit,
  parseEffectiveCapabilities,
  readDescriptorLimit,
} from './privileges.js';

test('parseEffectiveCapabilities names the bits that are set', () => {
  const status = 'Name:\tnode\nCapPrm:\t000001ffffffffff\nCapEff:\t000000c000080001\nCapBnd:\t0\n';
  assert.deepEqual(parseEffectiveCapabilities(status), ['CAP_SYS_PTRACE', 'CAP_PERFMON', 'CAP_BPF']);
});

test('parseEffectiveCapabilities gives none, when none are set or the file does not say', () => {
  assert.deepEqual(parseEffectiveCapabilities('CapEff:\t0000000000000000\n'), []);
  assert.deepEqual(parseEffectiveCapabilities('Name:\tnode\n'), []);
});

interface Process {
  readonly soft: number | 'unlimited';
  readonly hard: number | 'unlimited';
  readonly name?: string;
}

function createProcfs(own: Process, parent: Process): string {
  const procfs = createFolder();
  for (const [folder, { soft, hard, name = 'sh' }] of Object.entries({ self: own, [process.ppid]: parent })) {
    mkdirSync(join(procfs, folder));
    writeFileSync(join(procfs, folder, 'comm'), `${name}\n`);
    const columns = 'Limit                     Soft Limit           Hard Limit           Units     \n';
    const line = `Max open files            ${String(soft).padEnd(20)} ${String(hard).padEnd(20)} files     \n`;
    writeFileSync(join(procfs, folder, 'limits'), columns + line);
  }
  return procfs;
}

test("findOriginalOpenFilesLimit gives the parent's, when this process has been raised to the same hard limit", () => {
  const procfs = createProcfs({ soft: 4096, hard: 4096 }, { soft: 1024, hard: 4096 });
  assert.equal(findOriginalOpenFilesLimit(procfs), 1024);
});

test('findOriginalOpenFilesLimit corrects nothing, when nothing was raised or nothing is known', () => {
  const raised = { soft: 4096, hard: 4096 };
  const pairs: readonly (readonly [Process, Process])[] = [
    [
      { soft: 1024, hard: 4096 },
      { soft: 512, hard: 4096 },
    ],
    [raised, raised],
    [raised, { soft: 1024, hard: 8192 }],
    [raised, { soft: 1024, hard: 4096, name: 'systemd' }],
    [raised, { soft: 'unlimited', hard: 'unlimited' }],
  ];
  for (const [own, parent] of pairs) {
    assert.equal(findOriginalOpenFilesLimit(createProcfs(own, parent)), undefined);
  }
  assert.equal(findOriginalOpenFilesLimit('/absent'), undefined);
});

test('readDescriptorLimit finds a number', () => {
  assert.ok(readDescriptorLimit() >= 20);
});

test('findFirstReservedFd leaves an eighth, and 16 at least', () => {
  assert.deepEqual(
    [64, 1024].map((limit) => findFirstReservedFd(limit)),
    [48, 896],
  );
});
