import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { ReceiverFactory } from '../../component/component.js';
import { createFakeContext, createLogCollector } from '../../component/fakes.js';
import { listen } from '../../http/listen.js';
import { ownAddress } from '../../http/own-address.fixture.js';
import type { Metric } from '../../model/series.js';
import { floorPower, hwEnergy } from '../../model/shared-metrics.js';
import { processCpuTime } from '../../model/usage-metrics.js';
import { checkPort, checkReceiver, findBestSource } from './component-checks.js';

const create = () => ({ start() {}, shutdown() {} });

function check(id: string, metrics: readonly Metric[], probe: ReceiverFactory['probe']) {
  return checkReceiver({
    id,
    factory: { schema: {}, metrics, probe, create },
    settings: {},
    context: createFakeContext(),
  });
}

const here = () => ({ available: true, found: 'it is here', remedies: [] });
const absent = () => ({
  available: false,
  found: 'nothing',
  remedies: [{ missing: 'it', command: 'get it' }],
});

test('checkReceiver says what the probe says', async () => {
  assert.deepEqual(await check('rapl', [hwEnergy], absent), {
    name: 'rapl',
    state: 'missing',
    found: 'nothing',
    remedies: [{ missing: 'it', command: 'get it' }],
    energy: 'none',
  });
});

test('checkReceiver notes that a receiver needs settings, when the default ones do nothing', async () => {
  const { state, found } = await checkReceiver({
    id: 'replay',
    factory: { schema: {}, metrics: [], probe: here, create, check: () => ['files: expected a path'] },
    settings: {},
    context: createFakeContext(),
  });
  assert.deepEqual([state, found], ['note', 'not configured: files: expected a path']);
});

test('checkReceiver says what went wrong, when the probe throws', async () => {
  const { state, found } = await check('rapl', [hwEnergy], () => {
    throw new Error('Cannot read it');
  });
  assert.deepEqual([state, found], ['missing', 'Cannot read it']);
});

test('checkReceiver finds no energy, when the probe says that the source has none', async () => {
  const { state, energy } = await check('hwmon', [hwEnergy], () => ({ ...here(), hasEnergy: false }));
  assert.deepEqual([state, energy], ['ok', 'none']);
});

test('findBestSource prefers a meter to an estimate, and either to none', async () => {
  const checks = await Promise.all([
    check('process', [processCpuTime], here),
    check('estimate', [hwEnergy, floorPower], here),
    check('rapl', [hwEnergy], here),
  ]);
  assert.deepEqual(
    checks.map(({ energy }) => energy),
    ['none', 'estimated', 'measured'],
  );
  assert.equal(findBestSource(checks), 'measured');
  assert.equal(findBestSource(checks.slice(0, 2)), 'estimated');
  assert.equal(findBestSource(checks.slice(0, 1)), 'none');
});

const log = createLogCollector();

test('checkPort finds a port free, and leaves it free', async () => {
  const listener = await listen(createServer(), `${ownAddress}:0`, { log });
  await listener.close();
  for (let again = 0; again < 2; again++) {
    const { state, found } = await checkPort(listener.address, 'tests', log);
    assert.deepEqual([state, found], ['ok', 'free, for tests']);
  }
});

test('checkPort notes that a port is not free', async () => {
  const listener = await listen(createServer(), 'localhost:0', { log });
  const { state, found } = await checkPort(listener.address, 'tests', log);
  await listener.close();
  assert.equal(state, 'note');
  assert.match(found, /^not available for tests; is another agent running\? Cannot listen on /);
});
