import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createMeterReader } from '../../src/component/fakes.js';
import { sumLastValues } from '../../src/model/check-tables.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { noUnreadableFile, unreadableFile } from '../../src/scraping/file-faults.fixture.js';
import { checkLiveFault, type LiveFault } from '../../src/scraping/live-faults.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { FakePowerSensor, type StreamFault } from './powersensor.fixture.js';

/** Two devices, each with a receiver. */
async function startBoth(t: TestContext) {
  const meter = createMeterReader();
  const sampling = createSampling(createFakeContext({ meter: meter.meter }));
  t.after(() => sampling.shutdown());
  const device = new FakePowerSensor(t);
  const other = new FakePowerSensor(t, 'ttyACM1');
  const start = ({ path }: FakePowerSensor) =>
    startReceiver(
      t,
      factory,
      { device: path, sampling_interval: '2ms', flush_interval: '300ms' },
      { sampling, meter: meter.meter },
    );
  const running = await start(device);
  return { device, meter, running, other: await start(other) };
}

async function check(t: TestContext, openFault: (device: FakePowerSensor) => LiveFault): Promise<void> {
  const { device, meter, running, other } = await startBoth(t);
  const rig = {
    running: [running, other],
    meter,
    counters: /sampler.failures/u,
    isSubject: (name: string) => name.includes('ttyACM0'),
    ignored: /powersensor.rejected/u,
    maxTotal: () => device.joules,
  };
  const { problems, ...fault } = openFault(device);
  await checkLiveFault(rig, { ...fault, problems: [...problems, ...losses] });
}

/** On a machine so busy that a device of the test cannot send in time, that may lose samples at any time. */
const losses = [
  /samples of .*ttyACM0 are lost/u,
  /samples of .*ttyACM1 are lost/u,
  /bytes of the stream of .*ttyACM1 are no samples/u,
];
const silence = /Cannot read .*ttyACM0: expected samples, found none for 1000 ms; trying again/u;
const damage = /Damaged data: bytes of the stream of .*ttyACM0 are no samples/u;
const noAnswer = /expected 41 bytes within 1000 ms, found \d+/u;
const streamFaults: Readonly<Record<string, readonly [StreamFault, ...RegExp[]]>> = {
  truncated: ['truncated', damage, noAnswer],
  empty: ['silent', noAnswer],
  garbage: ['garbage', damage, /expected a sensor as psconfig writes it/u],
  slow: ['slow', damage, noAnswer, /expected no byte for 100 ms, found more/u],
};

for (const [name, [fault, ...more]] of Object.entries(streamFaults)) {
  test(`powersensor withstands a stream with the fault "${name}"`, (t) =>
    check(t, (device) => ({
      begin: () => (device.fault = fault),
      end: () => device.mend(),
      problems: [silence, ...more],
    })));
}

test('powersensor withstands a device that is unplugged while it streams', (t) =>
  check(t, (device) => ({
    begin: () => device.unplug(),
    end: () => device.plugIn(),
    problems: [/Cannot read .*ttyACM0: expected bytes, found (?:its end|EIO)/u, /Cannot open .*: ENOENT/u],
  })));

test('powersensor withstands a device that may not be opened again', { skip: noUnreadableFile }, (t) =>
  check(t, (device) => ({
    begin() {
      device.unplug();
      symlinkSync(unreadableFile, device.path);
    },
    end: () => device.plugIn(),
    problems: [/Cannot open .*: EACCES/u, /expected bytes, found (?:its end|EIO)/u],
  })),
);

test('powersensor rejects garbage between samples, counts it, and logs it once', async (t) => {
  const { device, meter, running, other } = await startBoth(t);
  const rejected = () => sumLastValues(running.collector.tables, 'powersensor.rejected');
  const garbage = Buffer.from('ff408f3f123456f0418101910290f0', 'hex');
  for (let i = 1; i <= 3; i++) {
    device.disturb(garbage);
    await until(() => rejected() >= i * garbage.length);
  }
  const rows = other.collector.tables.length;
  await until(() => other.collector.tables.length > rows + 2);
  assert.ok(sumLastValues(running.collector.tables, 'hw.meter.energy') <= device.joules * 1.001);
  for (const { value } of running.collector.last('hw.power'))
    if (!Number.isNaN(value)) assert.ok(Math.abs(value - 120) < 0.01, `${value} W`);
  assert.equal(rejected() < 6 * garbage.length, true, 'only what was damaged is rejected');
  assert.deepEqual(running.log.lines, [
    `warn: Damaged data: bytes of the stream of ${device.path} are no samples`,
  ]);
  assert.equal((await meter.read())['joulemetry.sampler.failures{test}'], undefined);
});

test('powersensor begins another energy when samples were lost, counts that and logs it once', async (t) => {
  const { device, meter, running, other } = await startBoth(t);
  const { collector, log } = running;
  await until(() => collector.tables.length >= 3);
  for (let count = 1; count <= 2; count++) {
    device.loseSets(500);
    await until(() => collector.last('hw.meter.energy').length > count);
  }
  const rows = other.collector.tables.length;
  await until(() => other.collector.tables.length > rows + 2);
  assert.equal(collector.last('hw.power').length, 1, 'the power goes on');
  assert.ok(sumLastValues(collector.tables, 'hw.meter.energy') <= device.joules * 1.001);
  assert.ok(((await meter.read())['joulemetry.powersensor.losses{test}'] ?? 0) >= 2);
  assert.deepEqual(
    log.lines.filter((line) => !damage.test(line)),
    [`warn: Damaged data: samples of ${device.path} are lost, and energy with them`],
  );
});
