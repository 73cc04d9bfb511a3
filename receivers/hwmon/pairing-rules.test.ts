import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel, Chip } from './channels.js';
import { pairingRules, pairRails } from './pairing-rules.js';

const file = /^(in|curr|power)(\d+)$/u;

/** A chip with these channels, by name, and their labels. */
function createChip(name: string, channels: Readonly<Record<string, string | undefined>>): Chip {
  const found = Object.entries(channels).map(([sensor, label]): Channel => {
    const [, type = '', index = ''] = file.exec(sensor) ?? [];
    return {
      type: type as Channel['type'],
      index: Number(index),
      item: 'input',
      path: sensor,
      label,
      scale: 1,
      windowMs: undefined,
      faultPath: undefined,
    };
  });
  return { id: 'chip', name, label: undefined, measures: [], channels: found };
}

function pairsOf(name: string, channels: Readonly<Record<string, string | undefined>>): readonly string[] {
  const pairs = pairRails(createChip(name, channels), []);
  return pairs.map(({ voltage, current }) => `${voltage.path} ${current.path}`);
}

/** A chip with as many channels as it may have, without labels. */
const full = Object.fromEntries(
  ['in', 'curr'].flatMap((type) => Array.from({ length: 12 }, (_, i) => [`${type}${i}`, undefined])),
);

test('pairRails pairs the rails of each chip of the table', () => {
  const found = Object.fromEntries(
    pairingRules.flatMap(({ chips }) =>
      chips.map((chip) => [
        chip,
        pairsOf(chip, full)
          .join(', ')
          .replaceAll(/in|curr/gu, ''),
      ]),
    ),
  );
  assert.deepEqual(found, {
    ina219: '1 1',
    ina220: '1 1',
    ina226: '1 1',
    ina230: '1 1',
    ina231: '1 1',
    ina232: '1 1',
    ina234: '1 1',
    ina260: '1 1',
    sy24655: '1 1',
    ina209: '1 1',
    ina228: '1 1',
    ina237: '1 1',
    ina238: '1 1',
    ina700: '1 1',
    ina780: '1 1',
    sq52206: '1 1',
    ina3221: '1 1, 2 2, 3 3',
    ltc2945: '1 1',
    ltc2947: '0 1',
    ltc2990: '',
    ltc2992: '0 1, 1 2',
    ltc4151: '1 1',
    ltc4215: '1 1',
    ltc4222: '1 1, 3 2',
    ltc4245: '1 1, 2 2, 3 3, 4 4',
    ltc4260: '1 1',
    ltc4261: '',
    ltc4282: '1 1',
    isl28022: '0 1',
    tsc1641: '0 1',
    adm1177: '0 1',
    adm1272: '1 1',
    adm1273: '1 1',
    adm1275: '1 1',
    adm1276: '1 1',
    adm1278: '1 1',
    adm1281: '1 1',
    adm1075: '',
    adm1293: '',
    adm1294: '',
    corsairpsu: '1 2, 2 3, 3 4',
  });
});

test('every rule of pairs names a place in the tree of the kernel', () => {
  for (const { source } of pairingRules)
    assert.match(source, /^(?:Documentation|drivers)\/hwmon\/(?:pmbus\/)?[a-z0-9-]+\.(?:rst|c)/u);
  const chips = pairingRules.flatMap((rule) => rule.chips);
  assert.equal(new Set(chips).size, chips.length);
});

test('pairRails multiplies nothing of which the chip gives the power', () => {
  assert.deepEqual(pairsOf('ina226', { in1: undefined, curr1: undefined, power1: undefined }), []);
  assert.deepEqual(pairsOf('ltc4282', { in0: 'VSOURCE', in1: 'VDD', curr1: 'ISENSE', power1: 'Power' }), []);
});

test('pairRails pairs the inputs and outputs of PMBus by their labels', () => {
  const regulator = {
    in1: 'vin',
    in2: 'vout1',
    in3: 'vout2',
    curr1: 'iin',
    curr2: 'iout1',
    curr3: 'iout2',
    curr4: 'iout1.0',
  };
  const all = ['in1 curr1', 'in2 curr2', 'in3 curr3'];
  assert.deepEqual(pairsOf('tps53679', regulator), all);
  assert.deepEqual(pairsOf('tps53679', { ...regulator, power1: 'pin', power2: 'pout2' }), ['in2 curr2']);
  assert.deepEqual(pairsOf('max20751', { in1: 'vin', in2: 'vout1', curr1: 'iout1' }), ['in2 curr1']);
  // Of a controller whose power is that of the input, measured behind it.
  assert.deepEqual(pairsOf('adm1276', { in1: 'vin1', curr1: 'iout1', power1: 'pin1' }), []);
});

test('pairRails pairs labels that differ only in the quantity, whatever the power of another rail is numbered', () => {
  const card = {
    in3: 'FPGA Core Voltage',
    in4: '12V Backplane Voltage',
    in5: '1.2V Voltage',
    curr1: 'FPGA Core Current',
    curr2: '12V Backplane Current',
    power1: 'Board Power',
  };
  assert.deepEqual(pairsOf('n3000bmc_hwmon', card), ['in3 curr1', 'in4 curr2']);
  assert.deepEqual(pairsOf('n3000bmc_hwmon', { ...card, power2: '12V Backplane Power' }), ['in3 curr1']);
  const pump = { in1: 'Pump voltage', curr1: 'Pump current', power1: 'Pump power' };
  assert.deepEqual(pairsOf('d5next', pump), []);
  const [rail] = pairRails(createChip('n3000bmc_hwmon', card), []);
  assert.equal(rail?.label, 'FPGA Core');
});

test('pairRails does what the configuration says in place of what is known of a chip', () => {
  const chip = createChip('ltc4261', { in1: undefined, in2: undefined, curr1: undefined });
  const pairs = pairRails(chip, [
    { chip: 'ltc4261', voltage: 2, current: 1 },
    { chip: 'other', voltage: 1, current: 1 },
  ]);
  assert.deepEqual(
    pairs.map(({ voltage, current }) => [voltage.path, current.path]),
    [['in2', 'curr1']],
  );
});
