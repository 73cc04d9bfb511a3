import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims, type Claims } from '../../src/component/claims.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { Table } from '../../src/model/table.js';
import { schema } from './config.js';
import type { PowerReading } from './dcmi.js';
import { factory } from './factory.js';
import { createCompactRecord, createFullRecord, unit, type RecordOptions } from './fake-bmc.fixture.js';
import { IpmiScraper } from './ipmi-scraper.js';
import type { Reading } from './protocol.js';
import { parseSensorRecord, type Sensor } from './sensor-record.js';

const nothing: Reading = {
  host: 'dcmi',
  sensors: undefined,
  power: undefined,
  averages: [],
  values: [],
  notes: [],
  problems: [],
};

function sensorOf(options: RecordOptions): Sensor {
  const record = options.sensorType === 8 ? createCompactRecord(options) : createFullRecord(options);
  const sensor = parseSensorRecord(record);
  assert.ok(sensor);
  return sensor;
}

const supply = { entity: [10, 1] } as const;
const supplyPower = sensorOf({ ...supply, number: 0x38, name: 'PS1 Input Power', unit: unit.watts });
const supplyStatus = sensorOf({
  ...supply,
  number: 0x50,
  name: 'PS1 Status',
  sensorType: 8,
  eventType: 0x6f,
});
const inlet = sensorOf({ number: 4, name: 'Inlet Temp', entity: [55, 1], owner: 0x2c, unit: unit.celsius });

function powerAt(seconds: number, watts: number): Pick<Reading, 'power'> {
  const value: PowerReading = { watts, minWatts: 68, maxWatts: 504, averageWatts: 348, periodMs: 1000 };
  return { power: { value, atNs: BigInt(seconds * 1e9) } };
}

function createRig(claims: Claims = freeClaims) {
  const readings: (Reading | Error)[] = [];
  const next = createTableCollector();
  const context = createFakeContext({ id: 'ipmi', claims });
  const thread = {
    read() {
      const reading = readings.shift() ?? nothing;
      return reading instanceof Error ? Promise.reject(reading) : Promise.resolve(reading);
    },
    close: () => Promise.resolve(),
  };
  let scraper: IpmiScraper | undefined;
  return {
    next,
    /** A reading that fails. @returns the published tables */
    async fail() {
      readings.push(new Error('ENODEV'));
      const tables: Table[] = [];
      await assert.rejects(async () => {
        for (const table of (await scraper?.scrape(0)) ?? []) tables.push(table);
      }, /ENODEV/u);
      for (const table of tables) next.consume(table);
      return tables;
    },
    async read(reading: Partial<Reading>, breaks = 0) {
      const whole = { ...nothing, ...reading };
      if (scraper) readings.push(whole);
      scraper ??= new IpmiScraper(parseSettings(schema, {}), context, { thread, reading: whole });
      for (const table of await scraper.scrape(breaks)) if (table) next.consume(table);
      checkTables(next.tables);
    },
    last: (metric: string) =>
      next.last(metric).map(({ series, value }) => [series.attributes, value] as const),
  };
}

test('IpmiScraper integrates the power of the host over a failed reading, but not over a long gap', async () => {
  const { read, next, last } = createRig();
  await read({});
  await read(powerAt(1, 100));
  await read(powerAt(2, 300));
  await read(powerAt(3, NaN));
  await read(powerAt(4, 100));
  const host = { 'hw.type': 'host', 'hw.id': 'ipmi0', 'hw.name': 'DCMI' };
  const energy = { ...host, 'energy.method': 'measured', 'energy.interface': 'ipmi_dcmi_power' };
  assert.deepEqual(last('hw.host.energy'), [[energy, 600]]);
  assert.deepEqual(last('hw.host.power'), [[host, 100]]);
  assert.ok(
    next.tables.some(({ values }) => Number.isNaN(values[0]) && Number.isNaN(values[1])),
    'a gap',
  );
  await read(powerAt(60, 100));
  assert.deepEqual(
    last('hw.host.energy').map(([, joules]) => joules),
    [600, 0],
  );
  assert.deepEqual(
    last('ipmi.host.power').map(([attributes, watts]) => [attributes['ipmi.power.statistic'], watts]),
    [
      ['minimum', 68],
      ['maximum', 504],
      ['average', 348],
    ],
  );
  assert.deepEqual(last('ipmi.host.power.period'), [[host, 1]]);
});

test('IpmiScraper has a gap of everything when nothing can be read, also of sensors that were not due', async () => {
  const { read, fail } = createRig();
  await read({ sensors: [inlet], values: [{ sensor: 0, value: 24, atNs: 1n }] });
  await read(powerAt(1, 100));
  const [gap] = await fail();
  assert.deepEqual(
    gap?.series.map(({ metric }) => metric.name),
    [
      'hw.host.power',
      'hw.host.energy',
      'ipmi.host.power',
      'ipmi.host.power',
      'ipmi.host.power',
      'ipmi.host.power.period',
      'hw.temperature',
    ],
  );
  assert.ok(gap.values.every(Number.isNaN));
  assert.deepEqual(await fail(), []);
  await read(powerAt(2, 100));
  assert.equal((await fail()).length, 1);
});

test('IpmiScraper leaves the energy of the host to the receiver that publishes it', async () => {
  const { read, last } = createRig({
    ...freeClaims,
    claim: (key) => (key === 'energy/host' ? 'redfish' : undefined),
  });
  await read({});
  await read(powerAt(1, 100));
  await read(powerAt(2, 100));
  assert.deepEqual([last('hw.host.energy'), last('hw.host.power')], [[], []]);
  assert.deepEqual([last('hw.meter.energy')[0]?.[1], last('hw.power')[0]?.[1]], [100, 100]);
});

let readings = 0;

/** The values of a reading one second after the previous one. */
function valuesOf(...of: number[]) {
  readings += 1;
  const atNs = BigInt(readings) * 1_000_000_000n;
  return of.map((value, sensor) => ({ sensor, value, atNs }));
}

test('IpmiScraper publishes sensors from their first reading on, and the state of power supplies', async () => {
  const { read, last } = createRig();
  await read({});
  await read({ sensors: [supplyPower, supplyStatus, inlet], values: valuesOf(120, 0, NaN) });
  const power = {
    'hw.type': 'power_supply',
    'hw.id': 'ipmi0/sensor-38',
    'hw.name': 'PS1 Input Power',
    'hw.parent': 'ipmi0/power_supply-1',
    'hw.sensor_location': 'power_supply-1',
  };
  assert.deepEqual(last('hw.power'), [[power, 120]]);
  assert.deepEqual(last('hw.temperature'), []);
  const states = () => last('hw.status').map(([attributes, value]) => [attributes['hw.state'], value]);
  assert.deepEqual(states(), [
    ['ok', 1],
    ['degraded', 0],
    ['failed', 0],
    ['predicted_failure', 0],
  ]);
  await read({ values: valuesOf(NaN, 2, 23) });
  assert.ok(Number.isNaN(last('hw.power')[0]?.[1]), 'a gap');
  assert.deepEqual(states()[2], ['failed', 1]);
  const [[attributes, celsius] = []] = last('hw.temperature');
  assert.deepEqual([attributes?.['hw.id'], celsius], ['ipmi0/sensor-2c-04', 23]);
});

test('IpmiScraper ends all series when the clock is set, and those of removed sensors', async () => {
  const { read, next } = createRig();
  await read({});
  const values = [{ sensor: 0, value: 120, atNs: 1_000_000_000n }];
  await read({ sensors: [supplyPower], values, ...powerAt(1, 100) });
  await read({ sensors: [inlet], values });
  const ended = () => next.tables.flatMap((table) => (table.ended ?? []).map(({ metric }) => metric.name));
  assert.deepEqual(ended(), ['hw.power']);
  await read({ ...powerAt(2, 100) }, 1);
  assert.equal(new Set(ended()).size, 6, 'energy, power, statistics and their period, a temperature');
});

test('probe lists the missing modules and the missing device', async () => {
  const config = parseSettings(schema, { device: 99 });
  const { available, found, remedies } = await factory.probe(config, createFakeContext());
  assert.equal(available, false);
  assert.equal(found, 'no IPMI device: none of /dev/ipmi99, /dev/ipmi/99, /dev/ipmidev/99 is there');
  assert.deepEqual(
    remedies.map(({ command }) => command),
    ['sudo modprobe -a ipmi_devintf ipmi_si'],
  );
});
