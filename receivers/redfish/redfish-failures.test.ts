import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModern, createOld, createTree, link } from './fake-redfish.fixture.js';
import { startRig } from './redfish-rig.fixture.js';

test('redfish leaves out what a partial tree links to and does not have', async (t) => {
  const { '/redfish/v1/Chassis/1/EnvironmentMetrics': _, ...resources } = createModern();
  const { last } = await startRig(t, resources);
  assert.deepEqual(
    Object.keys(last('hw.power')).length,
    4,
    'the sensor of the total, and the power supplies',
  );
});

test('redfish shows a gap while one chassis fails, and reads the others', async (t) => {
  const resources = {
    ...createTree({
      a: { Power: link('/redfish/v1/Chassis/a/Power') },
      b: { Power: link('/redfish/v1/Chassis/b/Power') },
    }),
    '/redfish/v1/Chassis/a/Power': { PowerControl: [{ PowerConsumedWatts: 100 }] },
    '/redfish/v1/Chassis/b/Power': { PowerControl: [{ PowerConsumedWatts: 200 }] },
  };
  const { last, bmc, read } = await startRig(t, resources);
  bmc.failures = { '/redfish/v1/Chassis/a/Power': 503 };
  await read();
  assert.deepEqual(last('hw.power'), { a: NaN, b: 200 });
  bmc.failures = {};
  await read();
  assert.deepEqual(last('hw.power'), { a: 100, b: 200 });
});

test('redfish logs why a BMC cannot be read, and shows a gap', async (t) => {
  const failures: readonly [number | string, RegExp][] = [
    [503, /HTTP 503/],
    ['{"Members": [', /expected a JSON object, found a syntax error at column/],
    ['[]', /expected a JSON object, found a list/],
  ];
  for (const [failure, message] of failures) {
    const { bmc, read, last, log } = await startRig(
      t,
      createOld({ PowerControl: [{ PowerConsumedWatts: 100 }] }),
    );
    bmc.failures = { '/redfish/v1/Chassis/1/Power': failure };
    await read();
    const errors = log.lines.filter((line) => message.test(line));
    assert.equal(errors.length, 1, log.lines.join('\n'));
    assert.deepEqual(last('hw.power'), { '1': NaN });
  }
});

test('redfish gives up a request that hangs', async (t) => {
  const settings = { timeout: '200ms' };
  const { bmc, read, log } = await startRig(
    t,
    createOld({ PowerControl: [{ PowerConsumedWatts: 100 }] }),
    settings,
  );
  bmc.failures = { '/redfish/v1/Chassis/1/Power': 'hang' };
  await read();
  assert.match(log.lines.join('\n'), /expected an answer within 200 ms, found none/);
});

test('redfish follows no link to another server', async (t) => {
  const resources = createTree({ 1: { Power: link('http://192.0.2.1/Power') } });
  const { log, collector } = await startRig(t, resources);
  assert.match(
    log.lines.join('\n'),
    /expected a link to http:\/\/127\.0\.0\.1:\d+, found one to http:\/\/192\.0\.2\.1/,
  );
  assert.equal(collector.tables.length, 0);
});
