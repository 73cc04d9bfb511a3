import { test, type TestContext } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { checkLiveFault, type LiveFault } from '../../src/scraping/live-faults.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { factory } from './factory.js';
import { FakeModule, frame } from './fake-module.fixture.js';

/** 19.4 W and 1.255 W. */
const answers = {
  'Measure:Voltage 12V?': '12125mV',
  'Measure:Current 12V?': '1600 mA',
  'Measure:Voltage 5V?': '5.02 V',
  'Measure:Current 5V?': '250000uA',
};
const watts = 20.655;

async function check(t: TestContext, openFault: (module: FakeModule) => LiveFault): Promise<void> {
  const [module, other] = [new FakeModule(answers), new FakeModule(answers)];
  const endpoints = [await module.listen(t), await other.listen(t, '127.0.0.2')];
  const meter = createMeterReader();
  const settings = {
    collection_interval: '100ms',
    timeout: '300ms',
    endpoints: endpoints.map((endpoint) => ({ endpoint })),
  };
  const beganMs = performance.now();
  const running = await startReceiver(t, factory, settings, { meter: meter.meter });
  const rig = {
    running: [running],
    meter,
    isSubject: (name: string) => name.includes('127.0.0.1'),
    maxTotal: () => (watts * (performance.now() - beganMs)) / 1000,
  };
  await checkLiveFault(rig, openFault(module));
}

const silence = /Cannot read 127\.0\.0\.1:\d+: expected an answer within 300 ms, found none/u;
const noNumber = /Cannot read 127\.0\.0\.1:\d+: expected volts of rail "12V", found/u;
const ended = /Cannot read 127\.0\.0\.1:\d+: expected an answer, found the end of the connection/u;

/** The response to every command, the end of the connection, and the expected log lines. */
const faults: Readonly<Record<string, readonly [Buffer | undefined, FakeModule['ending'], RegExp]>> = {
  truncated: [Buffer.of(200, 0, 0x31), 'close', ended],
  'truncated and silent': [Buffer.of(200, 0, 0x31), undefined, silence],
  empty: [frame('\r\n>'), undefined, noNumber],
  garbage: [frame('\0\x80??12V\xff\r\n>'), undefined, noNumber],
  'garbled length': [Buffer.of(0xff, 0xff, 0x80, 0x0d, 0x0a, 0x3e), undefined, silence],
  reset: [undefined, 'reset', /ECONNRESET|the end of the connection/u],
};

for (const [name, [bytes, ending, problem]] of Object.entries(faults)) {
  test(`quarch withstands a module with the fault "${name}", and reads the other one`, (t) =>
    check(t, (module) => ({
      begin() {
        module.garbage = bytes;
        module.ending = ending;
      },
      end() {
        module.garbage = undefined;
        module.ending = undefined;
      },
      problems: [problem],
    })));
}

test('quarch withstands a module that does not answer, and reads the other one', (t) =>
  check(t, (module) => ({
    begin: () => (module.answers = {}),
    end: () => (module.answers = answers),
    problems: [silence],
  })));

test('quarch withstands a module that is switched off, and reads the other one', (t) =>
  check(t, (module) => ({
    begin: () => module.close(),
    end: () => module.open(),
    problems: [/ECONNREFUSED/u, ended],
  })));
