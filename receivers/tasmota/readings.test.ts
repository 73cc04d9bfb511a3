import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnergy, parseIdentity } from './readings.js';

const device = { id: 'tasmota-2462ab', name: 'desk' };

function sensors(energy: string): string {
  return `{"StatusSNS":{"Time":"2022-01-11T21:57:38","ENERGY":${energy}}}`;
}

test('parseEnergy reads what a plug shows, in the steps that it shows', () => {
  const text = sensors(
    '{"TotalStartTime":"2020-10-21T22:15:00","Total":3.705,"Yesterday":0.028,"Today":0.026,"Period":1,"Power":5,"ApparentPower":5,"ReactivePower":0,"Factor":1.00,"Voltage":233,"Current":0.021}',
  );
  assert.deepEqual(parseEnergy(text, device), [
    {
      id: 'tasmota-2462ab',
      name: 'desk',
      type: 'outlet',
      energy: { count: 3705, joules: 3600 },
      watts: 5,
      volts: 233,
      amperes: 0.021,
    },
  ]);
});

test('parseEnergy takes the step from the decimals, also where they are zeros', () => {
  const steps = ['3', '3.7', '3.70000', '[3.700,4.1]'].map((total) => {
    const [reading] = parseEnergy(sensors(`{"Total":${total},"Power":5}`), device) ?? [];
    return [reading?.energy?.count, reading?.energy?.joules];
  });
  assert.deepEqual(steps, [
    [3, 3_600_000],
    [37, 360_000],
    [370_000, 36],
    [3700, 3600],
  ]);
});

test('parseEnergy reads several channels, with one counter or with one each', () => {
  const shared = parseEnergy(
    sensors('{"Total":1.5,"Power":[5,7],"Voltage":230,"Current":[0.02,0.03]}'),
    device,
  );
  assert.deepEqual(
    shared?.map(({ id, parent, energy, watts, volts, amperes }) => [
      id,
      parent,
      energy?.count,
      watts,
      volts,
      amperes,
    ]),
    [
      ['tasmota-2462ab', undefined, 15, 12, 230, 0.05],
      ['tasmota-2462ab/1', 'tasmota-2462ab', undefined, 5, 230, 0.02],
      ['tasmota-2462ab/2', 'tasmota-2462ab', undefined, 7, 230, 0.03],
    ],
  );
  const own = parseEnergy(sensors('{"Total":[1.5,2.5],"Power":[5,7],"Voltage":[230,231]}'), device);
  assert.deepEqual(
    own?.map(({ id, name, parent, energy, watts, volts }) => [id, name, parent, energy?.count, watts, volts]),
    [
      ['tasmota-2462ab/1', 'desk 1', undefined, 15, 5, 230],
      ['tasmota-2462ab/2', 'desk 2', undefined, 25, 7, 231],
    ],
  );
  const phases = parseEnergy(sensors('{"Total":1.5,"Power":[5,null,7],"Voltage":[230,231,229]}'), device);
  assert.deepEqual([phases?.length, phases?.[0]?.watts, phases?.[0]?.volts], [4, NaN, undefined]);
});

test('parseEnergy reads the answer of old firmware, and reports where there is no meter', () => {
  assert.equal(parseEnergy('{"StatusPWR":{"Total":0.5,"Power":3}}', device)?.[0]?.energy?.count, 5);
  assert.deepEqual(parseEnergy('{"StatusSNS":{"Time":"2022-01-11T21:57:38"}}', device), []);
  assert.equal(parseEnergy('{"Status":{}}', device), undefined);
});

test('parseEnergy throws what a device reports that refuses', () => {
  assert.throws(() => parseEnergy('{"WARNING":"Need user=<username>&password=<password>"}', device), {
    message:
      'expected an answer, found "Need user=<username>&password=<password>"; set credentials.username (admin) and credentials.password_file to those of the device',
  });
  assert.throws(() => parseEnergy('{"Command":"Unknown"}', device), { message: /does not know "Status"$/u });
});

test('parseIdentity has the address of the device, and the name that it was given', () => {
  const text =
    '{"Status":{"DeviceName":"desk"},"StatusNET":{"Hostname":"tasmota-1","Mac":"24:62:AB:11:22:33"}}';
  assert.deepEqual(parseIdentity(text), { id: 'tasmota-2462ab112233', name: 'desk' });
  assert.deepEqual(parseIdentity('{"Status":{"DeviceName":""},"StatusNET":{"Mac":"24:62"}}'), {
    id: 'tasmota-2462',
    name: undefined,
  });
  assert.throws(() => parseIdentity('{"StatusNET":{}}'), { message: /^expected a Tasmota device/u });
});
