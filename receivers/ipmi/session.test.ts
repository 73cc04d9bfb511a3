import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completion } from './bmc.js';
import {
  createCompactRecord,
  createFullRecord,
  createPowerAnswer,
  FakeBmc,
  scanning,
  unit,
} from './fake-bmc.fixture.js';
import type { Reading, ThreadOptions } from './protocol.js';
import { Session } from './session.js';

const hostRecord = createFullRecord({ number: 0x77, name: 'Pwr Consumption', unit: unit.watts, m: 14 });
const supplyRecord = createFullRecord({
  number: 0x38,
  name: 'PS1 Input Power',
  entity: [10, 1],
  unit: unit.watts,
  m: 8,
});
const statusRecord = createCompactRecord({
  number: 0x50,
  name: 'PS1 Status',
  entity: [10, 1],
  sensorType: 8,
  eventType: 0x6f,
});

/** A clock that only advances when it is set, so that slices never end. */
function createRig(prepare: (bmc: FakeBmc) => void, options: Partial<ThreadOptions> = {}) {
  const bmc = new FakeBmc();
  prepare(bmc);
  const clock = { ms: 0 };
  const both = { device: 0, sensorIntervalMs: 10_000, hostPowerSensor: null, ...options };
  const session = new Session(
    both,
    () => bmc,
    () => clock.ms,
  );
  const later = (ms = 10_000): Reading => {
    clock.ms += ms;
    return session.read();
  };
  return { bmc, session, later };
}

/** The value of each sensor, by name. */
function valuesOf({ sensors, values }: Reading, known = sensors): Record<string, number> {
  return Object.fromEntries(values.map(({ sensor, value }) => [known?.[sensor]?.name ?? sensor, value]));
}

function measureByDcmi(bmc: FakeBmc): void {
  bmc.power.set(1, createPowerAnswer([332, 68, 504, 348], 2_685_198_000));
}

test('Session has the same reading as ipmi-dcmi, ipmitool and CEEMS from the same response', () => {
  const { session } = createRig(measureByDcmi);
  const { host, power, bmc } = session.open();
  assert.equal(host, 'dcmi');
  const expected = { watts: 332, minWatts: 68, maxWatts: 504, averageWatts: 348, periodMs: 2_685_198_000 };
  assert.deepEqual(power?.value, expected);
  const identity = {
    manufacturer: 674,
    product: 256,
    firmware: '4.22',
    ipmiVersion: '2.0',
    hasSdrRepository: true,
  };
  assert.deepEqual(bmc, identity);
});

test('Session has no power while power measurement is not active, or has no value', () => {
  const { bmc, session, later } = createRig(measureByDcmi);
  session.open();
  bmc.power.set(1, createPowerAnswer([332, 68, 504, 348], 1000, 0));
  assert.equal(later().power?.value.watts, NaN);
  bmc.power.set(1, createPowerAnswer([0, 0, 0xffff, 348]));
  assert.deepEqual(later().power?.value, {
    watts: NaN,
    minWatts: NaN,
    maxWatts: NaN,
    averageWatts: 348,
    periodMs: 1000,
  });
  bmc.power.set(1, createPowerAnswer([340, 68, 504, 348]));
  assert.equal(later().power?.value.watts, 340);
});

test('Session uses DCMI when its measurement is activated later', () => {
  const { bmc, session, later } = createRig((one) => one.power.set(1, createPowerAnswer([], 0, 0)));
  assert.equal(session.open().host, undefined);
  measureByDcmi(bmc);
  assert.equal(later().host, 'dcmi');
  assert.equal(later(1).power?.value.watts, 332);
});

test('Session reads the rolling averages that the BMC lists', () => {
  const { session } = createRig((bmc) => {
    measureByDcmi(bmc);
    bmc.windows = [0x05, 0x41, 0x8c, 0xc1, 0x00];
    bmc.power.set(2, createPowerAnswer([300, 1, 2, 310]));
  });
  const averages = session.open().averages.map(({ window, value }) => [window, value]);
  assert.deepEqual(averages, [
    ['5s', 310],
    ['1min', 310],
    ['12h', 310],
    ['1d', 310],
  ]);
});

test('Session reads the host from a sensor with a known name if the BMC has no DCMI', () => {
  const { session } = createRig((bmc) => {
    bmc.records = [supplyRecord, hostRecord];
    bmc.readings.set(0x77, [30, scanning]).set(0x38, [54, scanning]);
  });
  const reading = session.open();
  assert.equal(typeof reading.host === 'object' && reading.host.name, 'Pwr Consumption');
  assert.equal(reading.power?.value.watts, 420);
  assert.deepEqual(valuesOf(reading), { 'PS1 Input Power': 432, 'Pwr Consumption': 420 });
});

const prepareSupply = (bmc: FakeBmc) => {
  measureByDcmi(bmc);
  bmc.records = [supplyRecord];
  bmc.readings.set(0x38, [54, scanning]);
};

test('Session reads the host from the configured sensor even if the BMC has DCMI, and warns if it is missing', () => {
  const { session } = createRig(prepareSupply, { hostPowerSensor: 'PS1 Input Power' });
  assert.equal(session.open().power?.value.watts, 432);
  const { host, notes } = createRig(prepareSupply, { hostPowerSensor: 'PS9' }).session.open();
  assert.equal(host, undefined);
  assert.match(notes.map(({ text }) => text).join(), /Cannot find sensor "PS9" of host_power_sensor/);
});

test('Session leaves gaps while a sensor has no reading', () => {
  const { bmc, session, later } = createRig((one) => {
    measureByDcmi(one);
    one.records = [supplyRecord, statusRecord];
    one.readings.set(0x38, [54, scanning]).set(0x50, [0, scanning, 0x01, 0x80]);
  });
  const { sensors, ...first } = session.open();
  const read = () => valuesOf(later(), sensors);
  assert.deepEqual(valuesOf({ sensors, ...first }), { 'PS1 Input Power': 432, 'PS1 Status': 0 });
  bmc.readings.set(0x38, [54, 0x80]).set(0x50, [0, scanning, 0x09, 0x80]);
  assert.deepEqual(read(), { 'PS1 Input Power': NaN, 'PS1 Status': 1 }, 'not scanned; input lost');
  bmc.readings.set(0x38, [54, 0xe0]).set(0x50, [0, scanning, 0x03, 0x80]);
  assert.deepEqual(read(), { 'PS1 Input Power': NaN, 'PS1 Status': 2 }, 'unavailable; failed');
  bmc.readings.set(0x38, completion.notPresent).set(0x50, [0, scanning, 0x05, 0x80]);
  assert.deepEqual(read(), { 'PS1 Input Power': NaN, 'PS1 Status': 3 }, 'removed; about to fail');
  bmc.readings.set(0x38, [54]).set(0x50, [0, scanning, 0x00, 0x80]);
  assert.deepEqual(read(), { 'PS1 Input Power': NaN, 'PS1 Status': NaN }, 'cut; absent');
});

test('Session requests the factors of a non-linear sensor with each reading', () => {
  const { bmc, session, later } = createRig((one) => {
    measureByDcmi(one);
    one.records = [createFullRecord({ number: 9, name: 'VRM', unit: unit.volts, linearization: 0x70 })];
    one.readings.set(9, [10, scanning]);
  });
  const { sensors, ...first } = session.open();
  assert.deepEqual(valuesOf({ sensors, ...first }), { VRM: 20 });
  bmc.readings.set(9, [20, scanning]);
  assert.deepEqual(valuesOf(later(), sensors), { VRM: 65 });
});

test('Session reads records in parts, again after a lost reservation, and only once while they do not change', () => {
  const { bmc, session, later } = createRig((one) => {
    measureByDcmi(one);
    one.records = [supplyRecord, hostRecord, statusRecord];
    one.maxPart = 8;
    const answer = one.send.bind(one);
    let asked = 0;
    one.send = (to, request) => {
      // Another program reserves the repository periodically.
      if (request.command === 0x23 && ++asked % 9 === 0) one.loseReservation();
      return answer(to, request);
    };
  });
  const { sensors = [] } = session.open();
  assert.deepEqual(
    sensors.map(({ name }) => name),
    ['PS1 Input Power', 'Pwr Consumption', 'PS1 Status'],
  );
  assert.ok(bmc.count('a/22') > 1, 'it was reserved again');
  const asked = bmc.count('a/23');
  assert.equal(later().sensors, undefined);
  assert.equal(bmc.count('a/23'), asked);
  bmc.records = [supplyRecord];
  bmc.additions += 1;
  assert.deepEqual(
    later().sensors?.map(({ name }) => name),
    ['PS1 Input Power'],
  );
});

test('Session reads the records of a BMC without a repository', () => {
  const { session } = createRig((bmc) => {
    measureByDcmi(bmc);
    bmc.hasRepository = false;
    bmc.records = [supplyRecord];
  });
  assert.deepEqual(
    session.open().sensors?.map(({ name }) => name),
    ['PS1 Input Power'],
  );
});

test('Session reads the power even if the repository cannot be read, and warns once', () => {
  const { bmc, session, later } = createRig((one) => {
    measureByDcmi(one);
    one.records = [supplyRecord];
    one.maxPart = 4;
  });
  assert.deepEqual(
    session.open().notes.map(({ level }) => level),
    ['warn'],
  );
  const { power, notes } = later();
  assert.equal(power?.value.watts, 332);
  assert.deepEqual(notes, []);
  bmc.maxPart = 255;
  assert.equal(later().sensors?.length, 1);
});

test('Session repeats requests to a busy BMC, and gives up after several attempts', () => {
  const { bmc, session, later } = createRig(measureByDcmi);
  session.open();
  bmc.errors.push(completion.nodeBusy, completion.nodeBusy);
  assert.equal(later(1).power?.value.watts, 332);
  bmc.errors.push(completion.timeout);
  assert.equal(later(1).power?.value.watts, 332);
  bmc.errors.push(...Array.from({ length: 5 }, () => completion.nodeBusy));
  assert.equal(later(1).power?.value.watts, NaN);
  assert.equal(later(1).power?.value.watts, 332);
});

test('Session skips a sensor whose controller does not respond for a while', () => {
  const { bmc, session, later } = createRig((one) => {
    measureByDcmi(one);
    one.records = [supplyRecord];
    one.readings.set(0x38, completion.timeout);
  });
  session.open();
  bmc.readings.set(0x38, [54, scanning]);
  assert.equal(later().values.length, 0);
  assert.equal(later(300_000).values[0]?.value, 432);
});

test('Session reopens the device after the driver failed', () => {
  const { bmc, session, later } = createRig(measureByDcmi);
  session.open();
  bmc.failure = new Error('Cannot send a command to /dev/ipmi0: ENODEV');
  assert.throws(later, /ENODEV/);
  assert.ok(bmc.isClosed);
  bmc.failure = undefined;
  assert.equal(later().power?.value.watts, 332);
});

test('Session leaves nothing open if the driver fails at the start', () => {
  const { bmc, session } = createRig((one) => {
    measureByDcmi(one);
    const answer = one.send.bind(one);
    one.send = (to, request) => {
      // Sensors are read last.
      if (request.command === 0x2d) one.failure = new Error('Cannot send a command to /dev/ipmi0: EIO');
      return answer(to, request);
    };
    one.records = [supplyRecord];
  });
  assert.throws(() => session.open(), /EIO/);
  assert.ok(bmc.isClosed);
});
