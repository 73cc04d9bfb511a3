import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { encodeLocalAddress, NotifySocket } from './notify-socket.js';
import { listenAsServiceManager } from './notify-socket.fixture.js';

const names = [
  ['a path', () => join(createFolder(), 'notify')],
  ['an abstract name', () => `@joulemetry-test-${process.pid}`],
] as const;

for (const [what, createName] of names) {
  test(`NotifySocket sends each text in a datagram of its own to ${what}`, () => {
    const name = createName();
    const manager = listenAsServiceManager(name);
    const socket = NotifySocket.connect(name);
    assert.equal(socket.send('READY=1\nSTATUS=Wärme'), undefined);
    assert.equal(socket.send('STOPPING=1'), undefined);
    assert.deepEqual(manager.received(), ['READY=1\nSTATUS=Wärme', 'STOPPING=1']);
    socket.close();
    socket.close();
  });
}

test('NotifySocket.connect throws with the name, when nothing listens there', () => {
  const name = join(createFolder(), 'nobody');
  assert.throws(() => NotifySocket.connect(name), {
    message: `Cannot notify the service manager at "${name}": ENOENT`,
  });
});

test('NotifySocket.send does not wait, when the other side reads nothing or has gone', () => {
  const name = `@joulemetry-full-${process.pid}`;
  const manager = listenAsServiceManager(name);
  const socket = NotifySocket.connect(name);
  const outcomes = Array.from({ length: 5000 }, () => socket.send('WATCHDOG=1'));
  assert.equal(outcomes.at(-1), 'EAGAIN');
  manager.close();
  assert.equal(socket.send('WATCHDOG=1'), 'ECONNREFUSED');
  socket.close();
});

test('encodeLocalAddress refuses what is no name of a socket', () => {
  assert.throws(() => encodeLocalAddress('vsock:2:9'), /expected a path or "@" and a name/u);
  assert.throws(() => encodeLocalAddress(`/${'x'.repeat(107)}`), /expected at most 107 bytes, found 108/u);
  assert.deepEqual(encodeLocalAddress('@ab').subarray(2), Buffer.from('\0ab'));
});
