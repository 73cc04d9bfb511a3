import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createFullRecord, unit, type RecordOptions } from './fake-bmc.fixture.js';
import { abi } from './ioctl-transport.js';
import {
  build,
  startSimulator,
  withoutCompiler,
  withoutIpmitool,
  withoutSimulator,
  type SimulatedSensor,
} from './ipmi-sim.fixture.js';
import { createDcmiBmc, dcmiWatts } from './serve-dcmi.fixture.js';
import { serveBmc } from './vm-bmc.fixture.js';

const run = promisify(execFile);
const program = new URL('./read-device.fixture.js', import.meta.url).pathname;

interface Printed {
  readonly probe: { readonly available: boolean; readonly found: string };
  readonly last: readonly {
    readonly metric: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

function createSensor(options: RecordOptions & { readonly raw: number }): SimulatedSensor {
  const { number, sensorType = 1, raw } = options;
  return { record: createFullRecord(options), number, sensorType, raw };
}

const sensors = [
  createSensor({ number: 1, name: 'Pwr Consumption', sensorType: 0x0b, unit: unit.watts, m: 14, raw: 30 }),
  createSensor({ number: 2, name: 'Inlet Temp', entity: [55, 1], unit: unit.celsius, b: -128, raw: 151 }),
  createSensor({ number: 3, name: 'Exhaust Temp', unit: unit.celsius, units1: 0x80, raw: 0xf6 }),
  createSensor({ number: 4, name: 'P12V', sensorType: 2, unit: unit.volts, m: 60, k2: -3, raw: 200 }),
  createSensor({
    number: 5,
    name: 'PS1 Current',
    sensorType: 3,
    entity: [10, 1],
    unit: unit.amperes,
    m: 2,
    k2: -1,
    raw: 7,
  }),
  createSensor({ number: 6, name: 'Fan1', sensorType: 4, entity: [29, 1], unit: unit.rpm, m: 120, raw: 41 }),
  createSensor({
    number: 7,
    name: 'PS1 Input Power',
    entity: [10, 1],
    unit: unit.watts,
    m: 4,
    b: 3,
    k1: 1,
    raw: 101,
  }),
  createSensor({
    number: 8,
    name: 'VBAT',
    sensorType: 2,
    unit: unit.volts,
    m: 157,
    b: 7,
    k1: 2,
    k2: -4,
    raw: 190,
  }),
  createSensor({
    number: 9,
    name: 'Quadratic',
    sensorType: 2,
    unit: unit.volts,
    m: 2,
    k2: -1,
    linearization: 8,
    raw: 16,
  }),
  createSensor({ number: 10, name: 'Root', sensorType: 2, unit: unit.volts, linearization: 10, raw: 144 }),
];

test(
  'the layouts of structures and the ioctl numbers are those of linux/ipmi.h',
  { skip: withoutCompiler },
  () => {
    const { stdout, status } = spawnSync(build('abi'), { encoding: 'utf8' });
    assert.equal(status, 0, 'both kinds of address have their logical unit where the transport writes it');
    assert.deepEqual(JSON.parse(stdout), abi);
  },
);

test(
  'the ipmi receiver has the same readings as ipmitool from ipmi_sim',
  { skip: withoutSimulator },
  async (t) => {
    const { port, ipmitool } = await startSimulator(t, sensors);
    const env = deviceOf(port);
    // All sensors, the power of the host and its energy.
    const { stdout } = await run(process.execPath, [program, String(sensors.length + 2)], {
      env,
      timeout: 60_000,
    });
    const { probe, last } = JSON.parse(stdout) as Printed;
    assert.deepEqual(probe, {
      available: true,
      found:
        'a BMC with IPMI 2.0, firmware 9.08, of manufacturer 4753, product 3842, with the power of the host by sensor "Pwr Consumption"',
      remedies: [],
      hasEnergy: true,
    });
    const host = last.find(({ metric }) => metric === 'hw.host.power');
    assert.deepEqual([host?.value, host?.attributes['hw.name']], [420, 'Pwr Consumption']);
    assert.ok(last.some(({ metric, value }) => metric === 'hw.host.energy' && value >= 0));
    assert.deepEqual(describeOurs(last), describeTheirs(ipmitool('-c', 'sdr')));
  },
);

test(
  'the ipmi receiver reads the power of the host by DCMI through the ioctls of the driver',
  { skip: withoutCompiler },
  async (t) => {
    const { port, close } = await serveBmc(createDcmiBmc());
    t.after(close);
    const env = deviceOf(port);
    // The power, its energy, three statistics and their period.
    const { stdout } = await run(process.execPath, [program, '6'], { env, timeout: 60_000 });
    const { probe, last } = JSON.parse(stdout) as Printed;
    assert.match(probe.found, /with the power of the host by DCMI$/u);
    const values = last.map(({ metric, attributes, value }) => [
      `${metric} ${attributes['ipmi.power.statistic'] ?? ''}`.trim(),
      value,
    ]);
    const { 'hw.host.energy': joules, ...figures } = Object.fromEntries(values) as Record<string, number>;
    const [watts, minimum, maximum, average] = dcmiWatts;
    assert.deepEqual(figures, {
      'hw.host.power': watts,
      'ipmi.host.power minimum': minimum,
      'ipmi.host.power maximum': maximum,
      'ipmi.host.power average': average,
      'ipmi.host.power.period': 60,
    });
    assert.ok(joules !== undefined && joules >= 0);
  },
);

test('ipmitool reads the same figures of DCMI from the same device', { skip: withoutIpmitool }, async (t) => {
  const { port, close } = await serveBmc(createDcmiBmc());
  t.after(close);
  const env = { ...deviceOf(port), IPMI_SIM_NO_EVENTS: '1' };
  const { stdout } = await run('ipmitool', ['-I', 'open', 'dcmi', 'power', 'reading'], {
    env,
    timeout: 60_000,
  });
  const figures = [...stdout.matchAll(/(\d+) Watts/gu)].map(([, watts]) => Number(watts));
  assert.deepEqual(figures, [...dcmiWatts], stdout);
  assert.match(stdout, /0*60 Seconds/u);
});

/** The environment in which /dev/ipmi0 is the BMC at a port. */
function deviceOf(port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LD_PRELOAD: build('ipmi-device', '-shared', '-fPIC'),
    IPMI_SIM_PORT: String(port),
  };
}

/** `PS1 Input Power,434`, with the five digits that ipmitool prints. */
function describeOurs(last: Printed['last']): readonly string[] {
  const ofSensors = last.filter(({ attributes }) => attributes['hw.id']?.includes('sensor'));
  return ofSensors.map(({ attributes, value }) => `${attributes['hw.name']},${round(value)}`).toSorted();
}

/** Lines of ipmitool: name, value, unit and status. */
function describeTheirs(csv: string): readonly string[] {
  const lines = csv.trim().split('\n');
  return lines
    .map((line) => line.split(',').slice(0, 2))
    .map(([name, value]) => `${name},${round(Number(value))}`)
    .toSorted();
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
