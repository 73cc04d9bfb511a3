import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import {
  counter32,
  counter64,
  gauge32,
  integer,
  noSnmp,
  oid,
  text,
  ticks,
  type AgentValue,
} from './snmp-agent.fixture.js';
import { apc, often, openAgent, openApc } from './snmp-rig.fixture.js';

for (const version of ['1', '2c']) {
  test(`snmp reads the tables of an APC rack PDU by version ${version}`, { skip: noSnmp }, async (t) => {
    const { endpoint } = await openApc(t);
    const { last, collector, log } = await startReceiver(t, factory, {
      ...often,
      endpoints: [{ endpoint, version }],
    });
    await until(() => collector.tables.length > 1);
    assert.deepEqual(last('hw.power'), {
      '127.0.0.1/pdu:1': 420,
      '127.0.0.1/outlet:1': 205,
      '127.0.0.1/outlet:2': 184,
    });
    assert.deepEqual(last('hw.current'), {
      '127.0.0.1/phase:1': 1.8,
      '127.0.0.1/outlet:1': 0.9,
      '127.0.0.1/outlet:2': 0.8,
    });
    assert.deepEqual(last('hw.voltage'), { '127.0.0.1/phase:1': 230 });
    assert.deepEqual(last('hw.meter.resolution')['127.0.0.1/outlet:1'], 360_000);
    const outlet = collector.last('hw.power')[1]?.series.attributes;
    assert.deepEqual([outlet?.['hw.name'], outlet?.['hw.parent']], ['node-1', '127.0.0.1/pdu:1']);
    assert.deepEqual(log.lines, []);
  });
}

test('snmp counts energy by the counter, and restarts when it was reset', { skip: noSnmp }, async (t) => {
  const agent = await openApc(t);
  const { last, collector } = await startReceiver(t, factory, {
    ...often,
    endpoints: [{ endpoint: agent.endpoint }],
  });
  await until(() => collector.tables.length > 0);
  agent.objects.set(`${apc}.9.4.3.1.11.1`, integer(6002));
  await until(() => last('hw.meter.energy')['127.0.0.1/outlet:1'] === 720_000);
  agent.objects.set(`${apc}.9.4.3.1.11.1`, integer(0));
  await until(() => last('hw.meter.energy')['127.0.0.1/outlet:1'] === 0);
  assert.equal(last('hw.meter.energy')['127.0.0.1/outlet:2'], 0);
});

test(
  'snmp reads configured objects, 32-bit counters that wrap, and 64-bit counters',
  { skip: noSnmp },
  async (t) => {
    const energy = '1.3.6.1.4.1.99999.1.1';
    const agent = await openAgent(t, {
      [`${energy}.7`]: counter32(2 ** 32 - 100),
      [`${energy}.8`]: counter64(2n ** 40n),
      '1.3.6.1.4.1.99999.2.0': gauge32(4_000_000_000),
    });
    const objects = [
      { oid: `.${energy}`, quantity: 'energy', scale: 0.5, type: 'rail' },
      { oid: '1.3.6.1.4.1.99999.2.0', quantity: 'power', scale: 1e-6, type: 'rail' },
    ];
    const endpoints = [{ endpoint: agent.endpoint, preset: 'none' }];
    const { last, collector } = await startReceiver(t, factory, { ...often, endpoints, objects });
    await until(() => collector.tables.length > 0);
    assert.deepEqual(last('hw.power'), { '127.0.0.1/rail:1.3.6.1.4.1.99999.2.0': 4000 });
    agent.objects.set(`${energy}.7`, counter32(300));
    agent.objects.set(`${energy}.8`, counter64(2n ** 40n + 10n));
    await until(() => last('hw.meter.energy')['127.0.0.1/rail:7'] === 200);
    await until(() => last('hw.meter.energy')['127.0.0.1/rail:8'] === 5);
  },
);

test(
  'snmp treats a decrease of a 32-bit counter as a reset if the agent has restarted',
  { skip: noSnmp },
  async (t) => {
    const energy = '1.3.6.1.4.1.99999.1.1';
    const agent = await openAgent(t, {
      [`${energy}.7`]: counter32(2 ** 32 - 100),
      '1.3.6.1.2.1.1.3.0': ticks(1_000_000),
    });
    const objects = [{ oid: energy, quantity: 'energy' }];
    const endpoints = [{ endpoint: agent.endpoint, preset: 'none' }];
    const { collector } = await startReceiver(t, factory, { ...often, endpoints, objects });
    await until(() => collector.tables.length > 0);
    agent.objects.set('1.3.6.1.2.1.1.3.0', ticks(100));
    agent.objects.set(`${energy}.7`, counter32(300));
    await until(() => collector.last('hw.meter.energy').length === 2);
    assert.equal(collector.last('hw.meter.energy')[1]?.value, 0);
  },
);

test(
  'snmp reads the sensors of Raritan by their decimals, without unavailable ones, with outletName and inletName',
  { skip: noSnmp },
  async (t) => {
    const raritan = '1.3.6.1.4.1.13742.6';
    const rows: Readonly<Record<string, AgentValue>> = {
      '1.3.6.1.2.1.1.2.0': oid(`${raritan}.1`),
      [`${raritan}.3.5.3.1.3.1.5`]: text('node-5\0'),
      // inletLabel and inletName of PDU2-MIB.
      [`${raritan}.3.3.3.1.2.1.1`]: text('I1'),
      [`${raritan}.3.3.3.1.3.1.1`]: text('feed A'),
      ...Object.fromEntries(
        [
          [1, 0, 913, 3],
          [4, 1, 230, 0],
          [5, 1, 205, 0],
          [6, 1, 210, 0],
          [8, 1, 104_533, 0],
        ].flatMap(([kind, isAvailable, value = 0, digits = 0]) => [
          [`${raritan}.5.4.3.1.2.1.5.${kind}`, integer(isAvailable === 1 ? 1 : 2)],
          [`${raritan}.5.4.3.1.4.1.5.${kind}`, gauge32(value)],
          [`${raritan}.3.5.4.1.7.1.5.${kind}`, gauge32(digits)],
        ]),
      ),
      [`${raritan}.5.2.3.1.4.1.1.1`]: gauge32(2481),
      [`${raritan}.3.3.4.1.7.1.1.1`]: gauge32(3),
      // The power of an inlet in two directions: signedMinimum below 0, so that the unsigned value is not used.
      [`${raritan}.3.3.4.1.7.1.1.5`]: gauge32(0),
      [`${raritan}.3.3.4.1.27.1.1.1`]: integer(0),
      [`${raritan}.3.3.4.1.27.1.1.5`]: integer(-20_000),
      [`${raritan}.5.2.3.1.4.1.1.5`]: gauge32(0),
      [`${raritan}.5.2.3.1.6.1.1.5`]: integer(-570),
    };
    const agent = await openAgent(t, rows);
    const { last, collector } = await startReceiver(t, factory, {
      ...often,
      endpoints: [{ endpoint: agent.endpoint }],
    });
    await until(() => collector.tables.length > 0);
    assert.deepEqual(last('hw.current'), { '127.0.0.1/inlet:1.1': 2.481 });
    assert.deepEqual(last('hw.power'), { '127.0.0.1/inlet:1.1': -570, '127.0.0.1/outlet:1.5': 205 });
    assert.deepEqual(last('hw.voltage'), { '127.0.0.1/outlet:1.5': 230 });
    assert.deepEqual(last('hw.meter.resolution'), { '127.0.0.1/outlet:1.5': 3600 });
    const outlet = collector.last('hw.power').find(({ value }) => value === 205);
    const attributes = outlet?.series.attributes ?? {};
    assert.deepEqual([attributes['hw.name'], attributes['hw.parent']], ['node-5', '127.0.0.1/inlet:1.1']);
    assert.equal(collector.last('hw.current')[0]?.series.attributes['hw.name'], 'feed A');
  },
);

test(
  'snmp reads ServerTech and Eaton by their vendor, with outlets of several inlets',
  { skip: noSnmp },
  async (t) => {
    const sentry = '1.3.6.1.4.1.1718.4.1';
    const first = await openAgent(t, {
      '1.3.6.1.2.1.1.2.0': oid('1.3.6.1.4.1.1718.4'),
      [`${sentry}.8.2.1.3.1.1.1`]: text('Server-A'),
      [`${sentry}.8.3.1.3.1.1.1`]: integer(250),
      [`${sentry}.8.3.1.7.1.1.1`]: integer(575),
      [`${sentry}.8.3.1.14.1.1.1`]: integer(120_000),
      [`${sentry}.3.3.1.3.1.1`]: integer(600),
      [`${sentry}.3.3.1.3.1.2`]: integer(400),
    });
    const eaton = '1.3.6.1.4.1.534.6.6.7';
    const second = await openAgent(t, {
      '1.3.6.1.2.1.1.2.0': oid(eaton),
      [`${eaton}.6.4.1.3.0.1`]: integer(913),
      [`${eaton}.6.3.1.2.0.1`]: integer(230_100),
      [`${eaton}.6.5.1.3.0.1`]: integer(205),
      [`${eaton}.6.5.1.4.0.1`]: gauge32(9000),
    });
    const endpoints = [first, second].map(({ endpoint }) => ({ endpoint }));
    const { last, collector } = await startReceiver(t, factory, { ...often, endpoints });
    await until(() => Object.keys(last('hw.power')).length === 4);
    assert.deepEqual(last('hw.power'), {
      '127.0.0.1/inlet:1.1': 600,
      '127.0.0.1/inlet:1.2': 400,
      '127.0.0.1/outlet:1.1.1': 575,
      '127.0.0.1/outlet:0.1': 205,
    });
    assert.deepEqual(last('hw.current'), { '127.0.0.1/outlet:1.1.1': 2.5, '127.0.0.1/outlet:0.1': 0.913 });
    assert.deepEqual(last('hw.voltage'), { '127.0.0.1/outlet:0.1': 230.1 });
    const outlet = collector.last('hw.power').find(({ value }) => value === 575)?.series.attributes;
    assert.deepEqual([outlet?.['hw.name'], outlet?.['hw.parent']], ['Server-A', '127.0.0.1']);
  },
);

test(
  'snmp reads an Easy and an older Rack PDU of APC, and a UPS of APC as such',
  { skip: noSnmp },
  async (t) => {
    const [device, easy] = ['1.3.6.1.2.1.1.2.0', '1.3.6.1.4.1.318.1.1.30'];
    const pdu = await openAgent(t, {
      [device]: oid('1.3.6.1.4.1.318.1.3.4.9'),
      [`${easy}.2.1.1.7.1`]: integer(785),
      [`${easy}.4.2.1.4.1`]: integer(2304),
      [`${easy}.4.2.1.5.1`]: integer(355),
      [`${easy}.4.2.1.6.1`]: integer(785),
    });
    const powerOfOlder = '1.3.6.1.4.1.318.1.1.12.1.16.0';
    pdu.objects.set(powerOfOlder, integer(1));
    const older = await openAgent(t, {
      [device]: oid('1.3.6.1.4.1.318.1.3.4.4'),
      [powerOfOlder]: integer(807),
    });
    const sensor = '1.3.6.1.2.1.99.1.1.1';
    const ups = await openAgent(t, {
      [device]: oid('1.3.6.1.4.1.318.1.3.27'),
      [`${apc}.4.3.1.5.1`]: integer(42),
      // UPS-MIB: volts, tenths of an ampere, watts of the input; watts of the output.
      '1.3.6.1.2.1.33.1.3.3.1.3.1': integer(231),
      '1.3.6.1.2.1.33.1.3.3.1.4.1': integer(42),
      '1.3.6.1.2.1.33.1.3.3.1.5.1': integer(960),
      '1.3.6.1.2.1.33.1.4.4.1.4.1': integer(900),
      [`${sensor}.1.1`]: integer(6),
      [`${sensor}.4.1`]: integer(77),
      [`${sensor}.5.1`]: integer(1),
    });
    const endpoints = [pdu, older, ups].map(({ endpoint }) => ({ endpoint }));
    const { last } = await startReceiver(t, factory, { ...often, endpoints });
    await until(() => Object.keys(last('hw.power')).length === 6);
    assert.deepEqual(last('hw.power'), {
      '127.0.0.1/pdu:0': 807,
      '127.0.0.1/pdu:1': 785,
      '127.0.0.1/phase:1': 785,
      '127.0.0.1/ups_input:1': 960,
      '127.0.0.1/ups_output:1': 900,
      '127.0.0.1/sensor:1': 77,
    });
    const electric = (id: string) =>
      ['hw.voltage', 'hw.current'].map((name) => last(name)[`127.0.0.1/${id}`]?.toFixed(2));
    assert.deepEqual(electric('phase:1'), ['230.40', '3.55']);
    assert.deepEqual(electric('ups_input:1'), ['231.00', '4.20']);
  },
);

test('snmp reads the sensors of RFC 3433 by their scale and precision', { skip: noSnmp }, async (t) => {
  const sensor = '1.3.6.1.2.1.99.1.1.1';
  const rows = [
    [1, 6, 9, 1, 2055, 1],
    [2, 4, 8, 0, 12_031, 1],
    [3, 8, 9, 0, -5, 1],
    [4, 6, 9, 0, 77, 2],
    [5, 9, 9, 0, 40, 1],
    [6, 6, 10, 0, 3, 1],
    // Two accurate digits; a supply of -48 V; an overflow.
    [7, 6, 9, -2, 480, 1],
    [8, 4, 8, 0, -48_100, 1],
    [9, 6, 9, 0, 1_000_000_000, 1],
  ];
  const objects = rows.flatMap(([row, kind = 0, scale = 0, precision = 0, value = 0, status = 0]) => [
    [`${sensor}.1.${row}`, integer(kind)],
    [`${sensor}.2.${row}`, integer(scale)],
    [`${sensor}.3.${row}`, integer(precision)],
    [`${sensor}.4.${row}`, integer(value)],
    [`${sensor}.5.${row}`, integer(status)],
  ]);
  const agent = await openAgent(t, Object.fromEntries(objects));
  agent.objects.set('1.3.6.1.2.1.47.1.1.1.1.7.1', text('PSU 1'));
  const { last, collector } = await startReceiver(t, factory, {
    ...often,
    endpoints: [{ endpoint: agent.endpoint }],
  });
  await until(() => collector.tables.length > 0);
  assert.deepEqual(last('hw.power'), {
    '127.0.0.1/sensor:1': 205.5,
    '127.0.0.1/sensor:6': 3000,
    '127.0.0.1/sensor:7': 480,
  });
  assert.deepEqual(last('hw.voltage'), { '127.0.0.1/sensor:2': 12.031, '127.0.0.1/sensor:8': -48.1 });
  assert.deepEqual(last('hw.temperature'), { '127.0.0.1/sensor:3': -5 });
  assert.equal(collector.last('hw.power')[0]?.series.attributes['hw.name'], 'PSU 1');
  assert.equal(collector.last('hw.meter.energy')[0]?.series.attributes['energy.interface'], 'snmp_power');
});

test('snmp reads a PDU with hundreds of outlets', { skip: noSnmp }, async (t) => {
  const agent = await openApc(t);
  for (let outlet = 1; outlet <= 400; outlet++)
    agent.objects.set(`${apc}.9.4.3.1.7.${outlet}`, integer(outlet));
  const { last, collector } = await startReceiver(t, factory, {
    ...often,
    endpoints: [{ endpoint: agent.endpoint }],
  });
  await until(() => collector.tables.length > 0);
  assert.equal(Object.keys(last('hw.power')).length, 401);
  assert.equal(last('hw.power')['127.0.0.1/outlet:400'], 400);
});
