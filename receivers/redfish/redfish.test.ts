import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { serve, startReceiver } from '../../src/http/device.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import {
  createModern,
  createOld,
  createTree,
  FakeRedfish,
  link,
  type Resources,
} from './fake-redfish.fixture.js';

/** Starts a receiver of one BMC that reads when it is flushed. Its ids are without the address of the server. */
async function startRig(t: TestContext, resources: Resources, settings: Record<string, unknown> = {}) {
  const bmc = new FakeRedfish(resources);
  const { endpoint: _, measures = 'other', ...own } = settings;
  const endpoint = await serve(t, bmc.answer);
  const { host } = new URL(endpoint);
  const running = await startReceiver(t, factory, {
    collection_interval: '1h',
    endpoints: [{ endpoint, measures }],
    ...own,
  });
  const last = (metric: string) =>
    Object.fromEntries(
      Object.entries(running.last(metric)).map(([id, value]) => [id.replace(`${host}/`, ''), value]),
    );
  const read = async () => {
    await running.receiver.flush?.();
  };
  await read();
  return { ...running, bmc, last, read };
}

function createPassword(text: string): string {
  const path = join(createFolder(), 'password');
  writeFileSync(path, `${text}\n`);
  return path;
}

test('redfish reads the power subsystem, environment metrics and sensors of a chassis', async (t) => {
  const { last, collector, bmc } = await startRig(t, createModern());
  assert.deepEqual(last('hw.power'), {
    '1': 374,
    '1/power_supply:Bay1': 200,
    '1/power_supply:Bay1/output': 180,
    '1/power_supply:Bay2': 174,
  });
  assert.deepEqual(last('hw.voltage'), { '1/power_supply:Bay1': 230.5 });
  assert.deepEqual(last('hw.current'), { '1/power_supply:Bay1': 0.9 });
  assert.deepEqual(last('hw.temperature'), { '1': 25.5, '1/sensor:CPU1': 51 });
  assert.deepEqual(last('hw.fan.speed'), { '1/sensor:Fan1': 4200 });
  const states = collector.last('hw.status').filter(({ value }) => value === 1);
  assert.deepEqual(
    states.map(({ series: { attributes } }) => [attributes['hw.name'], attributes['hw.state']]),
    [
      ['Power Supply Bay1', 'ok'],
      ['Power Supply Bay2', 'degraded'],
    ],
  );
  assert.ok(!bmc.requests.some((request) => request.endsWith('/Power')));
});

test('redfish counts the energy of a counter, and starts again when it was reset', async (t) => {
  const resources = createModern();
  const { last, bmc, read, collector } = await startRig(t, resources);
  const path = '/redfish/v1/Chassis/1/EnvironmentMetrics';
  const count = async (metrics: unknown) => {
    bmc.resources = { ...resources, [path]: metrics };
    await read();
    return last('hw.meter.energy')['1'];
  };
  assert.equal(last('hw.meter.energy')['1'], 0);
  assert.equal(await count({ EnergykWh: { Reading: 325_675.5 } }), 900_000);
  assert.equal(await count({ EnergykWh: { Reading: null } }), NaN);
  assert.equal(await count({ EnergykWh: { Reading: 325_676.75 } }), 5_400_000);
  assert.equal(await count({ EnergykWh: { Reading: 0.125 } }), 0);
  assert.equal(await count({ EnergykWh: { Reading: 0.625 } }), 1_800_000);
  const ofChassis = collector
    .last('hw.meter.energy')
    .filter(({ series }) => String(series.attributes['hw.id']).endsWith('/1'));
  assert.equal(ofChassis.length, 2, 'a series before the reset and one after it');
});

const createControl = (watts: number) => ({ Name: 'System Input Power', PowerConsumedWatts: watts });

test('redfish reads what CEEMS reads of two chassis with the older resource Power', async (t) => {
  const { last } = await startRig(t, {
    ...createTree({
      'Chassis-1': { Power: link('/redfish/v1/Chassis/Chassis-1/Power') },
      'Chassis-2': { Power: link('/redfish/v1/Chassis/Chassis-2/Power') },
    }),
    '/redfish/v1/Chassis/Chassis-1/Power': { PowerControl: [createControl(344), createControl(53)] },
    '/redfish/v1/Chassis/Chassis-2/Power': { PowerControl: [createControl(1696)] },
  });
  assert.deepEqual(last('hw.power'), {
    'Chassis-1': 344,
    'Chassis-1/power_control:1': 53,
    'Chassis-2': 1696,
  });
});

test('redfish reads power supplies, voltages, temperatures and fans of Power and Thermal', async (t) => {
  const power = {
    PowerControl: [{ PowerConsumedWatts: 196 }],
    PowerSupplies: [
      {
        MemberId: 'PSU.Slot.1',
        Name: 'PS1 Status',
        PowerInputWatts: 110,
        PowerOutputWatts: 98.5,
        LineInputVoltage: 232,
      },
      { MemberId: 'PSU.Slot.2', Name: 'PS2 Status', PowerInputWatts: null, Status: { State: 'Absent' } },
    ],
    Voltages: [
      { Name: 'CPU1 VCORE PG', ReadingVolts: null },
      { Name: 'PS1 Voltage 1', ReadingVolts: 232 },
    ],
  };
  const thermal = {
    Temperatures: [
      { Name: 'Inlet', ReadingCelsius: 22 },
      { Name: 'CPU2', ReadingCelsius: 0, Status: { State: 'Absent' } },
    ],
    Fans: [
      { FanName: 'Fan1', Reading: 38, ReadingUnits: 'Percent' },
      { Name: 'Fan2', Reading: 5880, ReadingUnits: 'RPM' },
    ],
  };
  const { last } = await startRig(t, createOld(power, thermal));
  assert.deepEqual(last('hw.power'), {
    '1': 196,
    '1/power_supply:PSU.Slot.1': 110,
    '1/power_supply:PSU.Slot.1/output': 98.5,
  });
  assert.deepEqual(last('hw.voltage'), { '1/power_supply:PSU.Slot.1': 232, '1/voltage:1': 232 });
  assert.deepEqual(last('hw.temperature'), { '1/temperature:0': 22 });
  assert.deepEqual(
    [last('hw.fan.speed_ratio'), last('hw.fan.speed')],
    [{ '1/fan:0': 0.38 }, { '1/fan:1': 5880 }],
  );
});

/** What BMCs of several vendors have in Power, and the power that is read of it. */
const vendors: Readonly<
  Record<string, readonly [chassis: string, power: unknown, watts: Record<string, number>]>
> = {
  'Dell iDRAC 7': [
    'System.Embedded.1',
    {
      PowerControl: [
        { Name: 'System Power Control', PowerConsumedWatts: 126, PowerMetrics: { IntervalInMin: 1 } },
      ],
      PowerSupplies: [
        {
          MemberId: 'PSU.Slot.1',
          LastPowerOutputWatts: 1600,
          PowerCapacityWatts: 1600,
          LineInputVoltage: null,
        },
      ],
    },
    { 'System.Embedded.1': 126 },
  ],
  'HPE iLO 5': [
    '1',
    {
      PowerControl: [{ MemberId: '0', PowerConsumedWatts: 165, PowerCapacityWatts: 1600 }],
      PowerSupplies: [
        { MemberId: '0', Name: 'HpeServerPowerSupply', LastPowerOutputWatts: 89, LineInputVoltage: 206 },
        { MemberId: '1', Name: 'HpeServerPowerSupply', LastPowerOutputWatts: 76, LineInputVoltage: 205 },
      ],
    },
    { '1': 165, '1/power_supply:0/output': 89, '1/power_supply:1/output': 76 },
  ],
  'Lenovo XCC': [
    '1',
    {
      PowerControl: [
        { MemberId: '0', Name: 'Server Power Control', PowerConsumedWatts: 210 },
        { MemberId: '1', Name: 'CPU Sub-system Power', PowerConsumedWatts: 98 },
        { MemberId: '2', Name: 'Memory Sub-system Power', PowerConsumedWatts: 12 },
      ],
    },
    { '1': 210, '1/power_control:1': 98, '1/power_control:2': 12 },
  ],
  Supermicro: [
    '1',
    {
      PowerControl: [{ Name: 'System Power Control', PowerConsumedWatts: 313 }],
      PowerSupplies: [
        { MemberId: '0', PowerInputWatts: 160, LastPowerOutputWatts: 148 },
        { MemberId: '1', Status: { State: 'Absent' } },
      ],
    },
    { '1': 313, '1/power_supply:0': 160, '1/power_supply:0/output': 148 },
  ],
};

for (const [vendor, [chassis, power, watts]] of Object.entries(vendors)) {
  test(`redfish reads the power that a BMC of the shape of ${vendor} has`, async (t) => {
    const { last } = await startRig(t, createOld(power, undefined, chassis));
    assert.deepEqual(last('hw.power'), watts);
  });
}

const createPower = (watts: number | null) => ({
  PowerControl: [{ PowerConsumedWatts: watts }],
  PowerSupplies: [{ MemberId: '0', PowerInputWatts: 110 }],
});

test('redfish has the energy of the host by the chassis, also while its power is not known', async (t) => {
  const { bmc, read, collector } = await startRig(t, createOld(createPower(196)), { measures: 'host' });
  const host = () => collector.last('hw.host.power').map(({ value }) => value);
  assert.deepEqual(host(), [196]);
  bmc.resources = createOld(createPower(null));
  await read();
  assert.deepEqual(host(), [NaN], 'not that of the power supply alone');
  bmc.resources = createOld(createPower(200));
  await read();
  assert.deepEqual(host(), [200]);
  assert.equal(collector.last('hw.host.energy').length, 1);
});

test('redfish opens a session, again when it expired, and closes it', async (t) => {
  const settings = { credentials: { username: 'root', password_file: createPassword('s3cret') } };
  const bmc = new FakeRedfish(createModern());
  bmc.password = 's3cret';
  const endpoint = await serve(t, bmc.answer);
  const own = { collection_interval: '1h', endpoints: [{ endpoint }], ...settings };
  const { receiver, collector, log } = await startReceiver(t, factory, own);
  await receiver.flush?.();
  assert.equal(bmc.logins, 1);
  bmc.tokens.clear();
  const before = collector.tables.length;
  await receiver.flush?.();
  assert.deepEqual([bmc.logins, collector.tables.length > before], [2, true]);
  await receiver.shutdown();
  assert.equal(bmc.tokens.size, 0, 'the session was closed');
  assert.ok(!log.lines.join().includes('s3cret'));
});

test('redfish does not send a refused password again, so that the user is not locked out', async (t) => {
  const file = createPassword('wrong');
  const bmc = new FakeRedfish(createModern());
  bmc.password = 'right';
  const endpoint = await serve(t, bmc.answer);
  const credentials = { username: 'root', password_file: file };
  const own = { collection_interval: '1s', endpoints: [{ endpoint }], credentials };
  const { log, collector } = await startReceiver(t, factory, own);
  await until(() => bmc.count('GET /redfish/v1/') >= 2);
  assert.equal(bmc.logins, 1);
  assert.match(log.lines.join('\n'), /expected a session, found HTTP 401; set credentials.username/);
  writeFileSync(file, 'right, now\n');
  bmc.password = 'right, now';
  await until(() => collector.tables.length > 0);
  assert.equal(bmc.logins, 2);
});

test('redfish sends the password with every request where the BMC has no sessions, or the settings say so', async (t) => {
  for (const auth of ['session', 'basic']) {
    const bmc = new FakeRedfish(createModern());
    bmc.password = 's3cret';
    bmc.hasSessions = false;
    const endpoint = await serve(t, bmc.answer);
    const credentials = { username: 'root', password_file: createPassword('s3cret') };
    const own = { collection_interval: '1h', endpoints: [{ endpoint }], auth, credentials };
    const { receiver, collector } = await startReceiver(t, factory, own);
    await receiver.flush?.();
    assert.ok(collector.last('hw.power').length > 0);
    assert.equal(bmc.logins, auth === 'basic' ? 0 : 1);
  }
});

test('redfish reads processors and accelerators of the systems in a chassis', async (t) => {
  const systems = '/redfish/v1/Systems';
  const processors = `${systems}/HGX/Processors`;
  const { '/redfish/v1': root, ...resources } = createModern();
  const { last, collector } = await startRig(t, {
    ...resources,
    '/redfish/v1': { ...(root as Resources), Systems: link(systems) },
    [systems]: { Members: [link(`${systems}/HGX`)] },
    [`${systems}/HGX`]: { Processors: link(processors), Links: { Chassis: [link('/redfish/v1/Chassis/1')] } },
    [processors]: { Members: [link(`${processors}/CPU_0`), link(`${processors}/GPU_0`)] },
    [`${processors}/CPU_0`]: { Id: 'CPU_0', ProcessorType: 'CPU' },
    [`${processors}/GPU_0`]: {
      Id: 'GPU_0',
      Name: 'Processor',
      ProcessorType: 'GPU',
      EnvironmentMetrics: link(`${processors}/GPU_0/EnvironmentMetrics`),
    },
    [`${processors}/GPU_0/EnvironmentMetrics`]: {
      PowerWatts: { Reading: 71.5 },
      EnergyJoules: { Reading: 1234.567 },
      TemperatureCelsius: { Reading: 31 },
    },
  });
  assert.equal(last('hw.power')['1/processor:GPU_0'], 71.5);
  assert.equal(last('hw.temperature')['1/processor:GPU_0'], 31);
  assert.equal(last('hw.meter.energy')['1/processor:GPU_0'], 0);
  const types = new Set(collector.last('hw.power').map(({ series }) => series.attributes['hw.type']));
  assert.ok(types.has('gpu') && !types.has('cpu'));
});

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
    ['{"Members": [', /expected a JSON object, found a mistake at column/],
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

test('redfish verifies certificates, and warns where it does not', { skip: noOpenssl }, async (t) => {
  const certificate = createCertificate();
  const bmc = new FakeRedfish(createOld({ PowerControl: [{ PowerConsumedWatts: 100 }] }));
  const endpoint = await serve(t, bmc.answer, certificate);
  const start = async (tls: Record<string, unknown>) => {
    const own = { collection_interval: '1h', endpoints: [{ endpoint }], tls };
    const { receiver, collector, log } = await startReceiver(t, factory, own);
    await receiver.flush?.();
    return { watts: collector.last('hw.power').map(({ value }) => value), log: log.lines.join('\n') };
  };
  const untrusted = await start({});
  assert.deepEqual(untrusted.watts, []);
  assert.match(untrusted.log, /self-signed certificate/);
  assert.deepEqual((await start({ ca_file: certificate.certFile })).watts, [100]);
  const trusting = await start({ insecure_skip_verify: true });
  assert.deepEqual(trusting.watts, [100]);
  assert.match(trusting.log, /warn: .*insecure_skip_verify/);
});
