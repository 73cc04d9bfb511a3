import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { startPacedReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { factory } from './factory.js';
import { FakeModule } from './fake-module.fixture.js';
import { openModule, parseMeasurement } from './module.js';

const answers = {
  'Measure:Voltage 12V?': '12125mV',
  'Measure:Current 12V?': '1600 mA',
  'Measure:Voltage 5V?': '5.02 V',
  'Measure:Current 5V?': '250000uA',
};

async function startRig(
  t: TestContext,
  module: FakeModule,
  settings: Readonly<Record<string, unknown>> = {},
) {
  const endpoint = await module.listen(t);
  const config = { collection_interval: '1h', endpoints: [{ endpoint, ...settings }] };
  const running = await startPacedReceiver(t, factory, config);
  return {
    log: running.log.lines,
    endpoint,
    /** Reads, several seconds after the previous reading: each value by metric and `hw.id`. */
    async read(seconds = 0): Promise<Readonly<Record<string, number>>> {
      const readings = await running.read(seconds);
      return Object.fromEntries(
        readings.map(([{ metric, attributes }, value]) => [
          `${metric.name} ${String(attributes['hw.id'])}`,
          value,
        ]),
      );
    },
  };
}

const address = '127.0.0.1';

function check(endpoint: object): readonly string[] {
  return factory.check?.(parseSettings(factory.schema, { endpoints: [endpoint] })) ?? [];
}

test('quarch reads voltage and current of each rail, and integrates the total power', async (t) => {
  const module = new FakeModule(answers);
  const rig = await startRig(t, module);
  await rig.read();
  const readings = await rig.read(10);
  assert.equal(readings[`hw.voltage ${address}/12V`], 12.125);
  assert.equal(readings[`hw.current ${address}/12V`], 1.6);
  assert.equal(readings[`hw.power ${address}/12V`]?.toFixed(6), '19.400000');
  assert.equal(readings[`hw.power ${address}/5V`]?.toFixed(6), '1.255000');
  assert.equal(readings[`hw.power ${address}`]?.toFixed(6), '20.655000');
  assert.equal(readings[`hw.meter.energy ${address}`]?.toFixed(3), '206.550');
  assert.equal(module.connections, 1);
});

test('quarch assigns the energy of the module to the host that it supplies', async (t) => {
  const rig = await startRig(t, new FakeModule(answers), { measures: 'host' });
  await rig.read();
  assert.equal((await rig.read(10))['hw.host.energy host']?.toFixed(3), '206.550');
});

test('quarch accepts a response that arrives byte by byte', async (t) => {
  const module = new FakeModule(answers);
  module.isSlow = true;
  const rig = await startRig(t, module);
  assert.equal((await rig.read())[`hw.voltage ${address}/5V`], 5.02);
});

test('quarch omits a rail that the module does not have, and logs it once', async (t) => {
  const module = new FakeModule({ ...answers, 'Measure:Voltage 5V?': 'FAIL: 0x42 -Invalid parameter' });
  const rig = await startRig(t, module);
  await rig.read();
  const readings = await rig.read(1);
  assert.equal(readings[`hw.voltage ${address}/12V`], 12.125);
  assert.ok(Number.isNaN(readings[`hw.power ${address}`] ?? NaN));
  assert.deepEqual(
    rig.log.filter((line) => !line.startsWith('info')),
    [
      `error: Cannot read ${rig.endpoint}: expected volts of rail "5V", found "FAIL: 0x42 -Invalid parameter"`,
    ],
  );
});

test('quarch reconnects when the module closes the connection or does not respond', async (t) => {
  const module = new FakeModule(answers);
  const endpoint = await module.listen(t);
  const meter = openModule({ endpoint, rails: ['12V'], measures: 'other', channels: [] });
  const never = new AbortController().signal;
  assert.equal((await meter.ask(never)).readings.length, 2);
  module.garbage = Buffer.alloc(0);
  await assert.rejects(meter.ask(never), { message: 'expected an answer, found the end of the connection' });
  // Bytes of a response that never ends.
  module.garbage = Buffer.of(200, 0, 0x31);
  await assert.rejects(meter.ask(AbortSignal.timeout(50)), { name: 'TimeoutError' });
  module.garbage = undefined;
  assert.equal((await meter.ask(never)).readings[1]?.volts, 12.125);
  assert.equal(module.connections, 3);
  await meter.close?.();
});

test('quarch rejects invalid responses', async (t) => {
  const module = new FakeModule(answers);
  module.garbage = Buffer.concat([Buffer.of(5, 0), Buffer.from('??\r\n>', 'latin1')]);
  const rig = await startRig(t, module);
  assert.deepEqual(await rig.read(), {});
  assert.ok(
    rig.log.some((line) => line.includes('expected volts of rail "12V", found "??"')),
    rig.log.join('\n'),
  );
});

test('quarch reports what is wrong with its settings', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ rails: [] }), ['endpoints[0].rails: expected at least one, found none']);
  assert.equal(check({ endpoint: 'quarch' }).length, 1);
});

test('quarch probes a module by reading it, and names the one that does not respond', async (t) => {
  const endpoint = await new FakeModule(answers).listen(t);
  const config = parseSettings(factory.schema, { endpoints: [{ endpoint }] });
  const probe = await factory.probe?.(config, createFakeContext());
  assert.equal(probe?.found, `${endpoint}: ${address}, ${address}/12V, ${address}/5V`);
  const absent = parseSettings(factory.schema, { endpoints: [{ endpoint: '127.0.0.1:1' }] });
  const missing = await factory.probe?.(absent, createFakeContext());
  assert.match(missing?.remedies[0]?.missing ?? '', /127\.0\.0\.1:1: .*ECONNREFUSED/u);
});

test('parseMeasurement accepts a number with its unit, and nothing else', () => {
  assert.equal(parseMeasurement('12000 mV', 'V', '12V'), 12, 'the format of application note 014');
  assert.equal(parseMeasurement('4950mV', 'V', '5V'), 4.95);
  assert.equal(parseMeasurement('5V = 4950 mV', 'V', '5V'), 4.95);
  assert.equal(parseMeasurement('-3uA', 'A', '5V'), -3e-6);
  for (const answer of ['', '4950', '4950mA', 'OK', 'FAIL: 5V', 'nan mV']) {
    assert.throws(() => parseMeasurement(answer, 'V', '5V'), { name: 'RailError' }, answer);
  }
});
