import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { send, start } from './control.fixture.js';
import { factory } from './factory.js';

test('Control admits only the users and modes of its settings to its socket', async (t) => {
  const narrow = await start(t);
  assert.equal(statSync(narrow.path).mode & 0o777, 0o600);
  const group = process.getegid?.() ?? 0;
  const wide = await start(t, { socket: { mode: '0660', group: String(group) } });
  const { mode, gid } = statSync(wide.path);
  assert.deepEqual([mode & 0o777, gid], [0o660, group]);
  await assert.rejects(start(t, { socket: { group: 'joulemetry-no-such-group' } }), {
    message:
      'Cannot use extensions.test.socket.group: expected a group in /etc/group, found none of the name "joulemetry-no-such-group"',
  });
});

test('Control replaces a socket that was left behind, and refuses one on which an agent answers', async (t) => {
  const { path, extension } = await start(t);
  await assert.rejects(start(t, { socket: { path } }), {
    message: `Cannot listen on ${path} (extensions.test.socket.path): expected no other agent there, found one that answers`,
  });
  await extension.shutdown();
  await extension.shutdown();
  assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
  const left = join(createFolder(), 'left.sock');
  leaveSocket(left);
  assert.ok(statSync(left).isSocket());
  await start(t, { socket: { path: left } });
  assert.equal((await send({ socketPath: left, path: '/-/components' }))[0], 200);
});

/** Leaves the socket of a process that was killed. */
function leaveSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.throws(() => execFileSync(process.execPath, ['-e', script]));
}

test('Control does not replace a file that is not a socket, and names a missing folder', async (t) => {
  const path = join(createFolder(), 'text');
  writeFileSync(path, 'text');
  await assert.rejects(start(t, { socket: { path } }), /expected nothing or a socket, found a file/u);
  assert.equal(readFileSync(path, 'utf8'), 'text');
  await assert.rejects(
    start(t, { socket: { path: '/nowhere/control.sock' } }),
    /expected a folder \/nowhere, found none/u,
  );
});

test('Control answers HTTP requests with the token only, and reloads the token file', async (t) => {
  const file = join(createFolder(), 'token');
  const http = { endpoint: 'localhost:0', token_file: file };
  const { log, calls } = await start(t, { http });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const token = readFileSync(file, 'utf8').trim();
  assert.ok(token.length > 40);
  const port = Number(/:(\d+), with/u.exec(log.lines.join())?.[1]);
  const ask = (authorization?: string, host = 'localhost') =>
    send({ port, path: '/-/components', headers: { host, ...(authorization && { authorization }) } });
  assert.equal((await ask(`Bearer ${token}`))[0], 200);
  for (const wrong of [undefined, 'Bearer', `Bearer ${token}x`, `Basic ${token}`, `Bearer ${token.slice(1)}`])
    assert.equal((await ask(wrong))[0], 401);
  assert.equal((await ask(`Bearer ${token}`, 'evil.example.com'))[0], 403);
  writeFileSync(file, 'another-token-of-32-characters--\n');
  assert.equal((await ask(`Bearer ${token}`))[0], 401);
  assert.equal((await ask('Bearer another-token-of-32-characters--'))[0], 200);
  writeFileSync(file, 'short\n');
  assert.equal((await ask('Bearer short'))[0], 401);
  assert.equal((await ask('Bearer another-token-of-32-characters--'))[0], 200);
  assert.deepEqual(calls, []);
});

test('Control does not start with a token that is too short or unreadable', async (t) => {
  const file = join(createFolder(), 'token');
  writeFileSync(file, 'secret\n');
  chmodSync(file, 0o600);
  await assert.rejects(start(t, { http: { endpoint: 'localhost:0', token_file: file } }), {
    message: `Cannot use extensions.test.http.token_file "${file}": expected at least 16 characters without spaces, found 6`,
  });
});

test('factory.check requires octal permissions and a token file', () => {
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { socket: { mode: 'rw' } })), [
    'socket.mode: expected octal permissions such as "0660", found "rw"',
  ]);
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { http: { endpoint: ':1' } })), [
    'http.token_file: expected a file with the token that requests must have, found none',
  ]);
});
