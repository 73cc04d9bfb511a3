import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { timeOf, type Table } from '../../src/model/table.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { noUnreadableFile, unreadableFile } from '../../src/scraping/file-faults.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { encodeSensor, FakePowerSensor } from './powersensor.fixture.js';

async function start(t: TestContext, device: string) {
  const sampling = createSampling(createFakeContext());
  t.after(() => sampling.shutdown());
  return startReceiver(t, factory, { device, flush_interval: '100ms' }, { sampling });
}

/** The energy of a pair, and its timestamp. */
function readEnergy(tables: readonly Table[]): { readonly joules: number; readonly seconds: number } {
  const rows = tables.flatMap((table) =>
    [...table.offsets.keys()].map((row) => ({
      at: timeOf(table, row),
      joules: table.values[row * 5] ?? NaN,
    })),
  );
  const [first, last] = [rows[0], rows.at(-1)];
  return { joules: last?.joules ?? NaN, seconds: Number((last?.at ?? 0n) - (first?.at ?? 0n)) / 1e9 };
}

test('powersensor reads pairs of a device: energy from every sample, and means', async (t) => {
  const device = new FakePowerSensor(t);
  const { collector, receiver } = await start(t, device.path);
  await until(() => collector.tables.length >= 5);
  await receiver.shutdown();
  const [series] = collector.tables.map((table) => table.series);
  assert.deepEqual(
    series?.map(({ metric }) => metric.name),
    ['hw.meter.energy', 'hw.power', 'hw.voltage', 'hw.current', 'powersensor.rejected'],
  );
  assert.equal(series?.[0]?.attributes['hw.name'], 'PCIe');
  for (const { value } of collector.last('hw.power'))
    if (!Number.isNaN(value)) assert.ok(Math.abs(value - 120) < 0.01);
  const { joules, seconds } = readEnergy(collector.tables.filter((table) => table.series === series));
  assert.ok(joules > 0 && joules < 120 * seconds * 1.5 + 30, `${joules} J in ${seconds} s`);
  assert.deepEqual(device.commands.slice(0, 2), ['T', 'R']);
  await until(() => device.commands.at(-1) === 'T');
});

test('powersensor reports what it found instead of a device', async (t) => {
  const folder = createFolder();
  await assert.rejects(start(t, join(folder, 'gone')), { message: /Cannot open .*gone: ENOENT/u });
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(start(t, join(folder, 'file')), {
    message: /expected a serial device, found ENOTTY/u,
  });
  const silent = new FakePowerSensor(t);
  silent.fault = 'silent';
  await assert.rejects(start(t, silent.path), {
    message: /expected 41 bytes within 1000 ms, found 0; is it a/u,
  });
  const unused = new FakePowerSensor(t);
  unused.sensors = Array.from({ length: 8 }, () => encodeSensor('', 0, 0, false));
  await assert.rejects(start(t, unused.path), { message: /expected a pair of sensors in use, found none/u });
});

test(
  'powersensor reports the errno of a device that cannot be opened',
  { skip: noUnreadableFile },
  async (t) => {
    const device = join(createFolder(), 'ttyACM0');
    symlinkSync(unreadableFile, device);
    await assert.rejects(start(t, device), { message: /^Cannot open .*ttyACM0: EACCES/u });
  },
);

test('powersensor probes the device without querying it', async (t) => {
  const device = new FakePowerSensor(t);
  const config = parseSettings(factory.schema, { device: device.path });
  assert.deepEqual(await factory.probe(config, createFakeContext()), {
    available: true,
    found: device.path,
    remedies: [],
  });
  const gone = parseSettings(factory.schema, { device: '/dev/ttyACM77' });
  assert.equal(
    (await factory.probe(gone, createFakeContext())).found,
    'no meter at /dev/ttyACM77; not present on this machine',
  );
  assert.deepEqual(device.commands, []);
});
