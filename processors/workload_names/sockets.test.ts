import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { findSocketOwner, SocketFinder } from './sockets.js';

test('SocketFinder finds each socket once when it appears', () => {
  const folder = createFolder();
  const finder = new SocketFinder([join(folder, 'engine.sock'), `${folder}/*/podman/podman.sock`]);
  assert.deepEqual(finder.find(), []);
  writeFileSync(join(folder, 'engine.sock'), '');
  assert.deepEqual(finder.find(), [join(folder, 'engine.sock')]);
  mkdirSync(join(folder, '1000/podman'), { recursive: true });
  writeFileSync(join(folder, '1000/podman/podman.sock'), '');
  assert.deepEqual(finder.find(), [join(folder, '1000/podman/podman.sock')]);
  assert.deepEqual(finder.find(), []);
});

test('findSocketOwner returns the user of a socket in a run-time folder', () => {
  const sockets = ['/run/user/1000/podman/podman.sock', '/run/podman/podman.sock', '/var/run/docker.sock'];
  assert.deepEqual(sockets.map(findSocketOwner), ['1000', undefined, undefined]);
});

test('SocketFinder leaves out a second name of a socket', () => {
  const folder = createFolder();
  writeFileSync(join(folder, 'podman.sock'), '');
  symlinkSync(join(folder, 'podman.sock'), join(folder, 'docker.sock'));
  const known = new Set<string>();
  const finders = ['docker.sock', 'podman.sock'].map((name) => new SocketFinder([join(folder, name)], known));
  assert.deepEqual(
    finders.flatMap((finder) => finder.find()),
    [join(folder, 'docker.sock')],
  );
});
