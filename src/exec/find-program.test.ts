import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findProgram as findBytes, type ProgramError } from './find-program.js';

const findProgram = (name: string, path?: string) =>
  findBytes(Buffer.from(name), path === undefined ? undefined : Buffer.from(path)).toString();

function createFolders() {
  const folder = createFolder();
  const [first, second] = ['first', 'second'].map((name) => join(folder, name));
  for (const one of [first, second]) {
    mkdirSync(one);
    writeFileSync(join(one, 'program'), '#!/bin/sh\n');
  }
  chmodSync(join(second, 'program'), 0o755);
  mkdirSync(join(second, 'folder'));
  return { first, second };
}

const refusing = (exitCode: number, message: RegExp) => (error: ProgramError) =>
  error.exitCode === exitCode && message.test(error.message);

test('findProgram passes what may not be executed, when another one further on may', () => {
  const { first, second } = createFolders();
  assert.equal(findProgram('program', `/absent:${first}:${second}`), join(second, 'program'));
});

test('findProgram takes a name with a slash for a path', () => {
  const { second } = createFolders();
  assert.equal(findProgram(`${second}/program`, ''), `${second}/program`);
});

test('findProgram refuses with 126, when what is there may not be executed', () => {
  const { first, second } = createFolders();
  assert.throws(
    () => findProgram('program', first),
    refusing(126, /expected an executable file, found .*; see chmod \+x/),
  );
  assert.throws(
    () => findProgram(`${second}/folder`),
    refusing(126, /expected a program, found a folder at /),
  );
});

test('findProgram passes folders that cannot be searched, and refuses a path through one with 126', () => {
  const { first, second } = createFolders();
  const loop = join(first, 'loop');
  symlinkSync('loop', loop);
  assert.equal(findProgram('program', `${loop}:${second}`), join(second, 'program'));
  assert.throws(() => findProgram('absent', loop), refusing(127, /expected a program in PATH, found none/));
  const message = /found a folder without that permission/;
  assert.throws(() => findProgram(`${loop}/program`), refusing(126, message));
});

test('findProgram refuses with 127, when there is nothing', () => {
  const { first } = createFolders();
  assert.throws(
    () => findProgram('absent', first),
    refusing(127, /Cannot run "absent": expected a program in PATH, found none/),
  );
  assert.throws(
    () => findProgram(`${first}/absent`),
    refusing(127, /expected a program, found no such file/),
  );
  assert.throws(() => findProgram('', first), refusing(127, /Cannot run ""/));
});
