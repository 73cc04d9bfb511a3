import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeHealth } from './health.js';

const upSince = new Date('2026-11-21T12:00:00Z');

function uptimeAt(now: string): unknown {
  return (JSON.parse(describeHealth(true, upSince, new Date(now)).body) as { uptime: unknown }).uptime;
}

test('describeHealth says that the server is available and since when, when it is ready', () => {
  assert.deepEqual(describeHealth(true, upSince, new Date('2026-11-21T12:00:05.25Z')), {
    status: 200,
    body: '{"status":"Server available","upSince":"2026-11-21T12:00:00.000Z","uptime":"5.25s"}\n',
  });
});

test('describeHealth says that the server is not available, when it is not ready', () => {
  assert.deepEqual(describeHealth(false, upSince, upSince), {
    status: 503,
    body: '{"status":"Server not available"}\n',
  });
});

test('describeHealth writes durations as Go does, when they are long and when the clock was set back', () => {
  assert.equal(uptimeAt('2026-11-21T12:01:00Z'), '1m0s');
  assert.equal(uptimeAt('2026-11-22T14:03:04.5Z'), '26h3m4.5s');
  assert.equal(uptimeAt('2026-11-21T11:00:00Z'), '0s');
});
