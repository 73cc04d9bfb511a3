import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { listen } from '../../http/listen.js';
import { createLogCollector } from '../../contract/fakes.js';
import { ownAddress } from '../../http/own-address.fixture.js';
import { checkPort } from './port-checks.js';

const log = createLogCollector();

test('checkPort finds a port free, and leaves it free', async () => {
  const listener = await listen(createServer(), `${ownAddress}:0`, { log });
  await listener.close();
  for (let again = 0; again < 2; again++) {
    const check = await checkPort(listener.address, 'tests', log);
    assert.deepEqual([check.state, check.found], ['ok', 'free, for tests']);
  }
});

test('checkPort notes that a port is not free', async () => {
  const listener = await listen(createServer(), 'localhost:0', { log });
  const { state, found } = await checkPort(listener.address, 'tests', log);
  await listener.close();
  assert.equal(state, 'note');
  assert.match(found, /^not available for tests; is another agent running\? Cannot listen on /);
});
