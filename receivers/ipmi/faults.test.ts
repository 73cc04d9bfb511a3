import { test, type TestContext } from 'node:test';
import type { ReceiverFactory } from '../../src/component/component.js';
import { checkFault, type Fault, type FaultyMachine } from '../../src/scraping/reader-faults.fixture.js';
import { schema } from './config.js';
import { createReceiver, factory } from './factory.js';
import { createFullRecord, createPowerAnswer, FakeBmc, scanning, unit } from './fake-bmc.fixture.js';
import { Session } from './session.js';

const records = [
  createFullRecord({ number: 4, name: 'Inlet Temp', unit: unit.celsius }),
  createFullRecord({ number: 5, name: 'Outlet Temp', unit: unit.celsius }),
];

/** A receiver that uses this thread, and reads all sensors each time. */
function createFactory(openTransport: () => FakeBmc): ReceiverFactory<typeof schema> {
  return {
    ...factory,
    create: (config, context, next) =>
      createReceiver({
        config,
        context,
        next,
        open() {
          const options = { device: 0, sensorIntervalMs: 0, hostPowerSensor: null };
          const session = new Session(options, openTransport);
          const reading = session.open();
          const close = () => Promise.resolve(session.close());
          return Promise.resolve({ thread: { read: async () => session.read(), close }, reading });
        },
      }),
  };
}

interface Rig {
  readonly bmc: FakeBmc;
  /** Why the device cannot be opened. */
  refusal: Error | undefined;
}

async function check(
  t: TestContext,
  openFault: (rig: Rig) => Fault,
  machine: Pick<FaultyMachine<typeof schema>, 'subject' | 'isAll'>,
): Promise<void> {
  const bmc = new FakeBmc();
  bmc.records = records;
  bmc.power.set(1, createPowerAnswer([332, 68, 504, 348]));
  for (const number of [4, 5]) bmc.readings.set(number, [20 + number, scanning, 0]);
  const rig: Rig = { bmc, refusal: undefined };
  const open = (): FakeBmc => {
    if (rig.refusal) throw rig.refusal;
    return bmc;
  };
  const faulty = { factory: createFactory(open), settings: {}, tick() {}, maxPerSecond: 332 };
  await checkFault(t, { ...faulty, ...machine }, openFault(rig));
}

/** How a response is damaged, and the expected log lines. */
const damages: Readonly<Record<string, readonly [(answer: Uint8Array) => Uint8Array, RegExp]>> = {
  truncated: [(answer) => answer.subarray(0, 2), /expected \d+ bytes, found 1/u],
  empty: [() => new Uint8Array(), /expected a completion code, found none/u],
  garbage: [(answer) => answer.map((byte) => byte ^ 0x5a), /expected completion code 0x00, found 0x5a/u],
  slow: [() => Uint8Array.of(0xc3), /expected completion code 0x00, found 0xc3, timeout/u],
};

for (const [name, [damage, problem]] of Object.entries(damages)) {
  const openFault = (command: string) => ({
    open: ({ bmc }: Rig): Fault => ({
      begin: () => (bmc.damage = (answer, asked) => (asked === command ? damage(answer) : answer)),
      end: () => (bmc.damage = (answer) => answer),
      problem,
    }),
  });
  test(`ipmi withstands answers of DCMI with the fault "${name}", and reads the sensors`, (t) =>
    check(t, openFault('2c/2').open, { subject: /host\.(?:power|energy)/u }));
}

test('ipmi takes no answer of DCMI for its power that is of another group', (t) =>
  check(
    t,
    ({ bmc }) => ({
      begin: () =>
        (bmc.damage = (answer, asked) =>
          asked === '2c/2' ? Uint8Array.of(0, ...answer.slice(1).fill(0x7f)) : answer),
      end: () => (bmc.damage = (answer) => answer),
      problem: /expected the group 0xdc in its answer, found/u,
    }),
    { subject: /host\.(?:power|energy)/u },
  ));

for (const [name, answer, problem] of [
  ['truncated', [25], /Cannot read sensor "Inlet Temp": expected 2 bytes, found 1/u],
  ['garbage', 0x7e, /Cannot read sensor "Inlet Temp": expected completion code 0x00, found 0x7e/u],
  ['vanishing', 0xcb, /Cannot read sensor "Inlet Temp": .* sensor or record not present/u],
] as const) {
  test(`ipmi withstands a sensor with the fault "${name}", and reads the others`, (t) =>
    check(
      t,
      ({ bmc }) => ({
        begin: () => bmc.readings.set(4, answer),
        end: () => bmc.readings.set(4, [24, scanning, 0]),
        problem,
      }),
      { subject: /Inlet/u },
    ));
}

test('ipmi withstands a driver that is unloaded', (t) =>
  check(
    t,
    ({ bmc }) => ({
      begin: () => (bmc.failure = new Error('Cannot send a command to /dev/ipmi0: ENODEV')),
      end: () => (bmc.failure = undefined),
      problem: /ENODEV/u,
    }),
    { subject: /./u, isAll: true },
  ));

test('ipmi withstands a device that may not be opened again', (t) =>
  check(
    t,
    (rig) => ({
      begin() {
        rig.bmc.failure = new Error('Cannot send a command to /dev/ipmi0: ENODEV');
        rig.refusal = new Error('Cannot open /dev/ipmi0: EACCES');
      },
      end() {
        rig.bmc.failure = undefined;
        rig.refusal = undefined;
      },
      closeFiles: () => (rig.bmc.failure = new Error('Cannot send a command to /dev/ipmi0: ENODEV')),
      problem: /EACCES/u,
    }),
    { subject: /./u, isAll: true },
  ));
