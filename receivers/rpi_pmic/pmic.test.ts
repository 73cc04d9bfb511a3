import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { MeterTable } from '../../src/scraping/meter-table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { explainAccess, factory } from './factory.js';
import { Mailbox, messageBytes, readResult, writeCommand } from './mailbox.js';
import { openPmic, parseAdc } from './pmic.js';

// As a Raspberry Pi 5 answers; three of its twelve rails.
const answer = ` 3V7_WL_SW_A current(0)=0.10000000A
   VDD_CORE_A current(7)=2.00000000A
 3V7_WL_SW_V volt(8)=3.70000000V
   VDD_CORE_V volt(15)=0.75000000V
      EXT5V_V volt(24)=5.15180000V
       BATT_V volt(25)=0.00390720V
`;

test('parseAdc multiplies voltage and current of each rail, and adds the rails up', () => {
  const readings = parseAdc(answer);
  const byId = new Map(readings.map((reading) => [reading.id, reading]));
  assert.deepEqual([...byId.keys()], ['pmic', 'pmic/3V7_WL_SW', 'pmic/VDD_CORE', 'pmic/EXT5V', 'pmic/BATT']);
  assert.equal(byId.get('pmic/VDD_CORE')?.watts, 1.5);
  assert.equal(byId.get('pmic')?.watts?.toFixed(6), '1.870000');
  const { volts, watts, type } = byId.get('pmic/EXT5V') ?? {};
  assert.deepEqual([volts, watts, type], [5.1518, undefined, 'voltage']);
});

test('parseAdc takes what it knows of a torn answer, and refuses what is none', () => {
  const torn = answer.slice(0, answer.indexOf('VDD_CORE_V') + 14);
  const core = parseAdc(torn).find(({ id }) => id === 'pmic/VDD_CORE');
  assert.deepEqual([core?.amperes, core?.watts], [2, undefined]);
  const huge = parseAdc('VDD_CORE_V volt(15)=99999V\nVDD_CORE_A current(7)=1A\n');
  assert.ok(Number.isNaN(huge[0]?.watts ?? NaN));
  for (const text of ['', 'error=1 error_msg="Command not registered"', 'VDD_CORE_V volt(15)=']) {
    assert.throws(() => parseAdc(text), { message: /^expected channels of the PMIC, found "/u });
  }
});

test('openPmic integrates power, and opens the firmware once', async () => {
  let opened = 0;
  const meter = openPmic(() => {
    opened += 1;
    return Promise.resolve({ read: () => Promise.resolve(answer), close: () => Promise.resolve() });
  });
  const table = new MeterTable({ resource: { attributes: {} }, interface: 'rpi_pmic', maxGapMs: 10_000 });
  const signal = new AbortController().signal;
  const rowAt = async (seconds: bigint) => {
    const { readings } = await meter.ask(signal);
    return table.row({ at: seconds * 1_000_000_000n, monotonicNs: seconds * 1_000_000_000n }, readings);
  };
  await rowAt(0n);
  const { series, values } = await rowAt(2n);
  const joules = Object.fromEntries(
    series.flatMap(({ metric, attributes }, i) =>
      metric.name === 'hw.meter.energy' ? [[String(attributes['hw.id']), values[i]?.toFixed(3)]] : [],
    ),
  );
  assert.deepEqual(joules, { pmic: '3.740', 'pmic/3V7_WL_SW': '0.740', 'pmic/VDD_CORE': '3.000' });
  assert.equal(opened, 1);
});

test('writeCommand and readResult have the words of the mailbox in their places', () => {
  const message = new DataView(new ArrayBuffer(messageBytes));
  writeCommand(message, 'pmic_read_adc');
  const words = [0, 4, 8, 12, 16, 20, messageBytes - 4].map((at) => message.getUint32(at, true));
  assert.deepEqual(words, [4124, 0, 0x30080, 4096, 0, 0, 0]);
  assert.equal(Buffer.from(message.buffer, 24, 14).toString('latin1'), 'pmic_read_adc\0');
  message.setUint32(4, 0x8000_0000, true);
  assert.equal(readResult(message, 'pmic_read_adc'), 'pmic_read_adc');
  message.setUint32(20, 1, true);
  assert.throws(() => readResult(message, 'x'), {
    message: 'Cannot run "x" on the firmware: expected success, found code 0x80000000, result 1',
  });
});

test('Mailbox reports why a device takes no command', () => {
  const path = join(createFolder(), 'vcio');
  writeFileSync(path, '');
  const mailbox = new Mailbox(path);
  assert.throws(() => mailbox.run('pmic_read_adc'), { message: `Cannot send a command to ${path}: ENOTTY` });
  mailbox.close();
});

test('rpi_pmic runs on and shows nothing, where there is no such device', async (t) => {
  const log = createLogCollector();
  const next = createTableCollector();
  const device = join(createFolder(), 'vcio');
  const config = parseSettings(factory.schema, { collection_interval: '1h', device });
  const receiver = factory.create(config, createFakeContext({ id: 'rpi_pmic', log }), next);
  t.after(() => receiver.shutdown());
  await receiver.start();
  await receiver.flush?.();
  assert.deepEqual(next.tables, []);
  assert.match(log.lines.join('\n'), /the PMIC: .*ENOENT/u);
  const probe = await factory.probe?.(config, createFakeContext());
  assert.deepEqual([probe?.available, probe?.remedies], [false, []]);
});

test('rpi_pmic names the group of the device, where access to it is denied', () => {
  const denied = Object.assign(new Error("EACCES: permission denied, access '/dev/vcio'"), {
    code: 'EACCES',
  });
  assert.deepEqual(
    explainAccess('/dev/vcio', denied).remedies.map(({ command }) => command),
    ['sudo usermod -aG video "$USER"'],
  );
});
