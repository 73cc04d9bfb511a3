import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { integer, noSnmp } from './snmp-agent.fixture.js';
import { apc, often, openApc } from './snmp-rig.fixture.js';
import { loadSnmp, SnmpSession } from './snmp-session.js';

test(
  'snmp repeats requests when datagrams are lost, and ignores late responses to others',
  { skip: noSnmp },
  async (t) => {
    const agent = await openApc(t);
    agent.lost = 2;
    const { log, collector, last } = await startReceiver(t, factory, {
      ...often,
      endpoints: [{ endpoint: agent.endpoint }],
    });
    await until(() => collector.tables.length > 0);
    assert.deepEqual(log.lines, []);
    agent.delayMs = 900;
    const before = collector.tables.length;
    agent.objects.set(`${apc}.9.4.3.1.7.1`, integer(99));
    await until(() => log.lines.length > 0);
    agent.delayMs = 0;
    await until(() => last('hw.power')['127.0.0.1/outlet:1'] === 99);
    assert.ok(collector.tables.length > before);
  },
);

test(
  'snmp names the remedies if there is no response, as with a wrong community',
  { skip: noSnmp },
  async (t) => {
    const agent = await openApc(t);
    agent.community = 'secret';
    const settings = { ...often, timeout: '20ms', endpoints: [{ endpoint: agent.endpoint }] };
    const { log } = await startReceiver(t, factory, settings);
    await until(() => log.lines.length > 0);
    assert.deepEqual(log.lines, [
      `error: Cannot read ${agent.endpoint}: expected an answer within 20 ms, 3 times, found none; agents do not answer another version, community or address than theirs`,
    ]);
  },
);

test(
  'snmp walks the tables of a device again when an object has disappeared',
  { skip: noSnmp },
  async (t) => {
    for (const version of ['1', '2c']) {
      const agent = await openApc(t);
      const { last, log } = await startReceiver(t, factory, {
        ...often,
        endpoints: [{ endpoint: agent.endpoint, version }],
      });
      await until(() => Object.keys(last('hw.power')).length === 3);
      for (const name of agent.objects.keys())
        if (/\.9\.4\.3\.1\.\d+\.2$/u.test(name)) agent.objects.delete(name);
      agent.objects.set(`${apc}.9.4.3.1.7.1`, integer(99));
      await until(() => last('hw.power')['127.0.0.1/outlet:1'] === 99);
      assert.deepEqual(log.lines, [], version);
    }
  },
);

test(
  'snmp requests fewer objects at once when an agent finds its response too big',
  { skip: noSnmp },
  async (t) => {
    const agent = await openApc(t);
    agent.maxObjects = 3;
    const { log, collector } = await startReceiver(t, factory, {
      ...often,
      endpoints: [{ endpoint: agent.endpoint }],
    });
    await until(() => collector.tables.length > 0);
    assert.deepEqual(log.lines, []);
  },
);

test('SnmpSession survives truncated and damaged responses', { skip: noSnmp }, async (t) => {
  const agent = await openApc(t);
  const settings = { endpoints: [{ endpoint: agent.endpoint }], timeout: '20ms', retries: 0 };
  const config = parseSettings(factory.schema, settings);
  const [endpoint] = config.endpoints;
  assert.ok(endpoint);
  const session = new SnmpSession(await loadSnmp(), endpoint, config);
  t.after(() => session.close());
  const oids = [...agent.objects.keys()];
  const { signal } = new AbortController();
  const { whole } = createRandom(11);
  agent.damage = (answer) => {
    const copy = Buffer.from(answer);
    for (let i = 0; i < 4; i++) copy[whole(copy.length)] = whole(256);
    return whole(2) === 0 ? copy : copy.subarray(0, whole(copy.length));
  };
  const problems: string[] = [];
  for (let i = 0; i < 150; i++) {
    const request = i % 2 === 0 ? session.get(oids, signal) : session.walk(apc, signal);
    await request.catch((error: unknown) => problems.push(String(error)));
  }
  assert.ok(problems.some((problem) => problem.includes('found what is none')));
  agent.damage = (answer) => answer;
  await until(async () => (await session.get(oids, signal).catch(() => new Map())).size === oids.length);
});

test(
  'snmp has a gap while an agent has no objects, and reads them when it has them again',
  { skip: noSnmp },
  async (t) => {
    const agent = await openApc(t);
    const meter = createMeterReader();
    const settings = { ...often, endpoints: [{ endpoint: agent.endpoint }] };
    const { log, last } = await startReceiver(t, factory, settings, { meter: meter.meter });
    const read = () => last('hw.power')['127.0.0.1/outlet:1'];
    await until(() => read() === 205);
    const objects = new Map(agent.objects);
    agent.objects.clear();
    await until(async () =>
      Object.entries(await meter.read()).some(([key, count]) => key.includes('errored') && count >= 3),
    );
    assert.equal(read(), NaN);
    assert.equal(log.lines.length, 1, log.lines.join('\n'));
    assert.match(log.lines[0] ?? '', /expected objects of the preset auto .*, found none/u);
    for (const [name, value] of objects) agent.objects.set(name, value);
    await until(() => read() === 205);
  },
);
