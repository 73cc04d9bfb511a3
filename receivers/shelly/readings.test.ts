import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFirstGeneration, parseFirstNames, parseLaterGeneration, parseNames } from './readings.js';

const none = new Map<string, string>();

test('parseFirstGeneration counts minutes of a watt, which a restart loses', () => {
  const status = {
    meters: [{ power: 18.5, is_valid: true, timestamp: 1, counters: [18, 19, 17], total: 6000 }],
    uptime: 7200,
  };
  assert.deepEqual(parseFirstGeneration(status, 'shplg-s-a1', new Map([['meter:0', 'desk']])), {
    readings: [
      {
        id: 'shplg-s-a1/meter:0',
        name: 'desk',
        type: 'outlet',
        energy: { count: 6000, joules: 60, isVolatile: true },
        watts: 18.5,
      },
    ],
    uptime: 7200,
  });
});

test('parseFirstGeneration reads the lines of an energy meter in watt-hours', () => {
  const emeters = [
    {
      power: 51.08,
      pf: 0.27,
      current: 0.78,
      voltage: 234.9,
      is_valid: true,
      total: 1686297.2,
      total_returned: 428958.4,
    },
    { power: 0, voltage: 235.57, is_valid: false, total: 0 },
  ];
  const { readings } = parseFirstGeneration({ emeters }, 'shem-3', none);
  assert.deepEqual(readings, [
    {
      id: 'shem-3/emeter:0',
      name: undefined,
      type: 'line',
      energy: { count: 16_862_972, joules: 360, isVolatile: false },
      watts: 51.08,
      volts: 234.9,
      amperes: 0.78,
    },
    { id: 'shem-3/emeter:1', name: undefined, type: 'line' },
  ]);
});

test('parseLaterGeneration reads every component that measures power, whatever it is called', () => {
  const measured = {
    apower: 15.8,
    voltage: 230.1,
    current: 0.132,
    freq: 50,
    aenergy: { total: 9492.468, by_minute: [260.1, 263.3, 262], minute_ts: 1 },
    temperature: { tC: 40.6, tF: 105.1 },
  };
  const status = {
    'input:0': { id: 0, state: false },
    'switch:0': measured,
    'pm1:1': measured,
    ble: {},
    sys: { uptime: 103 },
  };
  const { readings, uptime } = parseLaterGeneration(
    status,
    'shellyplus1pm-a8',
    new Map([['switch:0', 'rack']]),
  );
  assert.equal(uptime, 103);
  assert.deepEqual(
    readings.map(({ id, name }) => [id, name]),
    [
      ['shellyplus1pm-a8/switch:0', 'rack'],
      ['shellyplus1pm-a8/pm1:1', undefined],
    ],
  );
  assert.deepEqual(readings[0], {
    id: 'shellyplus1pm-a8/switch:0',
    name: 'rack',
    type: 'outlet',
    energy: { count: 9_492_468, joules: 3.6, isVolatile: false },
    watts: 15.8,
    volts: 230.1,
    amperes: 0.132,
    celsius: 40.6,
  });
});

test('parseLaterGeneration subtracts returned energy, which devices also count as energy', () => {
  // A PM Mini behind a solar panel: https://github.com/evcc-io/evcc/pull/18841.
  const status = {
    'pm1:0': {
      id: 0,
      voltage: 236.2,
      current: 0.477,
      apower: -63.1,
      freq: 50,
      aenergy: { total: 330.473, by_minute: [1053.994, 1053.994, 1053.994], minute_ts: 1_743_682_140 },
      ret_aenergy: { total: 128.95, by_minute: [1053.994, 1053.994, 1053.994], minute_ts: 1_743_682_140 },
    },
    'switch:0': { apower: 0, aenergy: { total: 5 }, ret_aenergy: { total: 5.001 } },
  };
  const { readings } = parseLaterGeneration(status, 'shellypmminig3-1', none);
  assert.deepEqual(readings[0]?.energy, { count: 201_523, joules: 3.6, isVolatile: false, mayFall: 1 });
  assert.equal(readings[0]?.watts, -63.1);
  assert.equal(readings[1]?.energy?.count, 0);
});

test('parseLaterGeneration reads three phases and their sum', () => {
  const status = {
    'em:0': {
      a_act_power: 2166.2,
      a_current: 9.592,
      a_voltage: 227,
      b_act_power: 3.6,
      b_current: 0.044,
      b_voltage: 230,
      c_act_power: 244,
      c_current: 1.479,
      c_voltage: 230.2,
      n_current: null,
      total_act_power: 2413.825,
      total_current: 11.116,
    },
    'emdata:0': {
      a_total_act_energy: 3105576.42,
      b_total_act_energy: 195765.72,
      c_total_act_energy: 2114072.05,
      total_act: 5415414.19,
    },
  };
  const { readings } = parseLaterGeneration(status, 'pro3em', none);
  assert.deepEqual(
    readings.map(({ id, parent, type, energy, watts, volts }) => [
      id,
      parent,
      type,
      energy?.count,
      watts,
      volts,
    ]),
    [
      ['pro3em/em:0', undefined, 'line', 541_541_419, 2413.825, undefined],
      ['pro3em/em:0/a', 'pro3em/em:0', 'phase', 310_557_642, 2166.2, 227],
      ['pro3em/em:0/b', 'pro3em/em:0', 'phase', 19_576_572, 3.6, 230],
      ['pro3em/em:0/c', 'pro3em/em:0', 'phase', 211_407_205, 244, 230.2],
    ],
  );
});

test('parseLaterGeneration reads single lines with their counters, and not what the device shows as null', () => {
  const status = {
    'em1:0': { act_power: 12.5, voltage: 229.9, current: null },
    'em1data:0': { id: 0, total_act_energy: 2500.5 },
    'em1:1': { act_power: null },
    'switch:0': { id: 0, output: true },
    'light:0': { apower: 'no number', aenergy: 5 },
  };
  const { readings } = parseLaterGeneration(status, 'd', none);
  assert.deepEqual(
    readings.map(({ id, energy, watts, amperes }) => [id, energy?.count, watts, amperes]),
    [
      ['d/em1:0', 250_050, 12.5, undefined],
      ['d/em1:1', undefined, undefined, undefined],
      ['d/light:0', undefined, undefined, undefined],
    ],
  );
});

test('parseNames reads the names that users gave', () => {
  assert.deepEqual(
    [...parseNames({ 'switch:0': { name: 'a' }, 'switch:1': { name: null }, sys: 5 })],
    [['switch:0', 'a']],
  );
  const settings = { relays: [{ name: 'a' }, {}], emeters: [{ name: 'b' }] };
  assert.deepEqual(
    [...parseFirstNames(settings)],
    [
      ['meter:0', 'a'],
      ['emeter:0', 'b'],
    ],
  );
});
