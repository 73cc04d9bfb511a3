import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { until } from '../../src/testing/until.js';
import { startBackend, startProgram } from './kill.fixture.js';
import { mountPoweredDisk, noPoweredDisk } from './power-failure.fixture.js';

const skip = noPoweredDisk;
const requestBytes = 2 ** 16;
/** Stored without a pause, while the device is still writing earlier ones. */
const burst = 100;
/** They fill two files of 255 requests and a part of a third one. */
const wanted = 640;
const attempts = 5;

/**
 * Stores requests on a disk, ends the program by a signal, cuts the power of the disk, and sends what is left on it
 * after the restart.
 */
async function failPower(t: TestContext, signal: NodeJS.Signals, ...options: readonly string[]) {
  const disk = mountPoweredDisk(t);
  const { received, state, address } = await startBackend(t);
  state.isUp = false;
  const sizes = ['0', '1000', `${requestBytes}`, `${burst}`];
  const { child, ended, last } = startProgram([disk.folder, address, ...sizes, ...options]);
  await until(() => last() >= wanted);
  if (signal === 'SIGKILL') disk.cutPower();
  child.kill(signal);
  await ended;
  if (signal !== 'SIGKILL') disk.cutPower();
  disk.restart();
  state.isUp = true;
  await startProgram([disk.folder, address, '0', '0']).ended;
  t.diagnostic(`${received.size} of ${last() + 1} requests survived`);
  return { accepted: last() + 1, arrived: [...received.keys()].toSorted((a, b) => a - b) };
}

const first = (count: number) => Array.from({ length: count }, (_, number) => number);

test('a storage with fsync loses nothing in a power failure after it was closed', { skip }, async (t) => {
  const { accepted, arrived } = await failPower(t, 'SIGTERM', 'fsync');
  assert.deepEqual(arrived, first(accepted));
});

test('a storage with fsync loses only its newest requests in a power failure', { skip }, async (t) => {
  // On a busy machine, the power may fail before the first request is on the device.
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { arrived } = await failPower(t, 'SIGKILL', 'fsync');
    assert.deepEqual(arrived, first(arrived.length));
    if (arrived.length > 0) return;
  }
  assert.fail(`no request survived in ${attempts} power failures`);
});

test(
  'a storage without fsync loses in a power failure what the kernel has not written',
  { skip },
  async (t) => {
    const { accepted, arrived } = await failPower(t, 'SIGTERM');
    assert.ok(arrived.length < accepted);
  },
);
