import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { MeterTable } from '../../src/scraping/meter-table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { openZones, parseMicrowatts } from './zones.js';

/**
 * Files like those of drivers/powercap/arm_scmi_powercap.c: power, no energy, and one constraint with the
 * averaging interval. A folder instead of a file cannot be read.
 */
class FakePowercap {
  readonly sysfs = createFolder();

  constructor(zones: Readonly<Record<string, readonly [name: string, microwatts: number | undefined]>>) {
    for (const [id, [name, microwatts]] of Object.entries(zones)) {
      const folder = this.folder(id);
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/name`, `${name}\n`);
      writeFileSync(`${folder}/max_power_range_uw`, '4294967295\n');
      writeFileSync(`${folder}/constraint_0_name`, 'SCMI power-cap\n');
      writeFileSync(`${folder}/constraint_0_time_window_us`, '20000\n');
      if (microwatts === undefined) mkdirSync(`${folder}/power_uw`);
      else this.write(id, `${microwatts}\n`);
    }
  }

  folder(id: string): string {
    return `${this.sysfs}/class/powercap/${id}`;
  }

  write(id: string, text: string): void {
    writeFileSync(`${this.folder(id)}/power_uw`, text);
  }
}

const soc = {
  'arm-scmi:0': ['SOC', 20_000_000],
  'arm-scmi:0:0': ['BIG', 12_000_000],
  'arm-scmi:0:1': ['LITTLE', 3_000_000],
  'intel-rapl:0': ['package-0', 1_000_000],
  'dtpm:0': ['SOC', 9_000_000],
} as const;

const { signal } = new AbortController();

async function ask(files: FakePowercap) {
  const { readings } = await openZones(files.sysfs).ask(signal);
  return readings.map(({ id, name, parent, watts, windowMs }) => [id, name, parent, watts, windowMs]);
}

test('openZones reads the power of the zones of SCMI, and of no other control type', async () => {
  assert.deepEqual(await ask(new FakePowercap(soc)), [
    ['arm-scmi:0', 'SOC', undefined, 20, 20],
    ['arm-scmi:0:0', 'BIG', 'arm-scmi:0', 12, 20],
    ['arm-scmi:0:1', 'LITTLE', 'arm-scmi:0', 3, 20],
  ]);
});

test('openZones has a gap for a zone that cannot be read, and reads the others', async () => {
  const files = new FakePowercap({ ...soc, 'arm-scmi:0:1': ['LITTLE', undefined] });
  assert.deepEqual(
    (await ask(files)).map(([, name, , watts]) => [name, watts]),
    [
      ['SOC', 20],
      ['BIG', 12],
      ['LITTLE', NaN],
    ],
  );
});

test('openZones reports the problem if no zone can be read, or all have disappeared', async () => {
  const files = new FakePowercap({ 'arm-scmi:0': ['SOC', undefined] });
  await assert.rejects(ask(files), { message: /EISDIR/u });
  rmSync(files.folder('arm-scmi:0'), { recursive: true });
  await assert.rejects(ask(files), { message: 'expected zones of arm-scmi, found none' });
});

test('parseMicrowatts accepts integers only', () => {
  assert.equal(parseMicrowatts('20000000\n'), 20_000_000);
  for (const text of ['', '20000', 'N/A\n', '-1\n', '999999999999\n', '18446744073709551615\n']) {
    assert.ok(Number.isNaN(parseMicrowatts(text)), JSON.stringify(text));
  }
});

test('the energy of a zone is its mean power multiplied by the time, if the mean covers all that time', async () => {
  const files = new FakePowercap(soc);
  const table = new MeterTable({ resource: { attributes: {} }, interface: 'scmi_powercap', maxGapMs: 3_500 });
  const zones = openZones(files.sysfs);
  const rowAt = async (ms: bigint) => {
    const { readings } = await zones.ask(signal);
    return table.row({ at: ms * 1_000_000n, monotonicNs: ms * 1_000_000n }, readings);
  };
  await rowAt(0n);
  files.write('arm-scmi:0', '10000000\n');
  const { series, values } = await rowAt(20n);
  const column = series.findIndex(
    ({ metric, attributes }) => metric.name === 'hw.meter.energy' && attributes['hw.id'] === 'arm-scmi:0',
  );
  // 10 W for 20 ms, not 15 W as with linear interpolation from 20 W.
  assert.equal(values[column], 0.2);
  const { attributes } = series[column] ?? {};
  assert.equal(attributes?.['hw.power.window'], '0.02s');
  assert.equal(attributes?.['energy.interface'], 'scmi_powercap_power');
});

async function start(t: TestContext, files: FakePowercap, settings: object) {
  const [next, log] = [createTableCollector(), createLogCollector()];
  const config = parseSettings(factory.schema, {
    sysfs: files.sysfs,
    collection_interval: '100ms',
    ...settings,
  });
  const receiver = factory.create(config, createFakeContext({ log }), next);
  t.after(() => receiver.shutdown());
  await receiver.start();
  const last = (metric: string) =>
    next.last(metric).map(({ series, value }) => [series.attributes['hw.id'], value]);
  return { last, lines: log.lines };
}

test('scmi sums the top-level zones to the host if they measure it', async (t) => {
  const files = new FakePowercap({ ...soc, 'arm-scmi:1': ['DRAM', 5_000_000] });
  const { last } = await start(t, files, { measures: 'host' });
  await until(() => last('hw.host.power').length > 0);
  assert.deepEqual(last('hw.host.power'), [['host', 25]]);
  assert.equal(last('hw.power').length, 4);
});

test('scmi continues after a failure, which it logs once', async (t) => {
  const files = new FakePowercap(soc);
  const { last, lines } = await start(t, files, {});
  await until(() => last('hw.power').length > 0);
  for (const id of ['arm-scmi:0', 'arm-scmi:0:0', 'arm-scmi:0:1']) files.write(id, 'garbage\n');
  await until(() => lines.some((line) => line.includes('expected microwatts, found none')));
  for (const id of ['arm-scmi:0', 'arm-scmi:0:0', 'arm-scmi:0:1']) files.write(id, '7000000\n');
  await until(() => last('hw.power').some(([id, watts]) => id === 'arm-scmi:0' && watts === 7));
  assert.equal(lines.filter((line) => line.includes('expected microwatts')).length, 1);
});

test('scmi is not available without zones of SCMI', async () => {
  const files = new FakePowercap({ 'intel-rapl:0': ['package-0', 1] });
  const config = parseSettings(factory.schema, { sysfs: files.sysfs });
  const { available, found } = await factory.probe(config, createFakeContext());
  assert.equal(available, false);
  assert.match(found, /expected zones of arm-scmi in .*class\/powercap, found none/u);
});
