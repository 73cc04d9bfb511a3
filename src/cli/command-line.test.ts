import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.js', import.meta.url));

/** A command line of which one output, 1 or 2, goes to a disk that is full. */
function runOntoFullDisk(args: readonly string[], output: 1 | 2) {
  const full = openSync('/dev/full', 'w');
  try {
    const stdio = [1, 2].map((fd) => (fd === output ? full : 'pipe'));
    return spawnSync(process.execPath, [main, ...args], { stdio: ['ignore', ...stdio], encoding: 'utf8' });
  } finally {
    closeSync(full);
  }
}

test('runCommandLine fails, when its result cannot be written', () => {
  const { status, stderr } = runOntoFullDisk(['--version'], 1);
  assert.equal(status, 1);
  assert.match(stderr, /^Cannot write to stdout: ENOSPC[^\n]*\n$/);
});

test('runCommandLine does its work, when only its messages cannot be written', () => {
  assert.equal(runOntoFullDisk(['rnu'], 2).status, 2);
});
