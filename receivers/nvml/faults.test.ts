import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { sumLastValues } from '../../src/model/check-tables.js';
import { checkHang, type StartReceiver } from '../../src/scraping/hanging-thread.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { startPacedReceiver, startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { buildNvml, repeatGpu, withoutCompiler as skip } from './fake-nvml.fixture.js';

/** Two GPUs, whose energy counters increase by one joule between readings. */
function openMachine() {
  const nvml = buildNvml(repeatGpu(2));
  const millijoules = [1_000_000, 1_000_000];
  const write = () =>
    nvml.set(
      Object.fromEntries(millijoules.map((one, gpu) => [`${gpu}.TotalEnergyConsumption`, `0 ${one}`])),
    );
  const tick = () => {
    millijoules.forEach((one, gpu) => (millijoules[gpu] = one + 1000));
    write();
  };
  const reset = () => {
    millijoules[0] = 0;
    write();
  };
  // Profiling counters are read at other times.
  const settings = { library: nvml.path, metrics: { profiling: false } };
  // Depends on the clock of the receiver.
  const ignored = /hw\.gpu\.(?:time|throttle\.time)/u;
  const machine = { factory, settings, tick, subject: /^hw\.energy .*GPU-0/u, ignored };
  return { nvml, machine, write, reset, joules: () => (millijoules[0] ?? 0) / 1000 };
}

/** The answer of a call, and the expected log lines. */
const faults: Readonly<Record<string, readonly [string, RegExp]>> = {
  empty: ['0 18446744073709551615', /Cannot read energy of .* \(GPU-0\): expected 0 to 10{19}, found/u],
  'no permission': ['4', /Cannot read .*energy.* \(GPU-0\): .*no permission/u],
  'unknown error': ['999', /Cannot read .*energy.* \(GPU-0\): .*999/u],
};

for (const [name, [answer, problem]] of Object.entries(faults)) {
  test(`nvml withstands a counter of energy with the fault "${name}", and reads the rest`, { skip }, (t) => {
    const { nvml, machine, write } = openMachine();
    const begin = () => nvml.set({ '0.TotalEnergyConsumption': answer });
    return checkFault(t, machine, { begin, end: write, problem });
  });
}

test('nvml withstands garbage in place of the use of a GPU, and reads the rest', { skip }, (t) => {
  const { nvml, machine } = openMachine();
  return checkFault(
    t,
    { ...machine, subject: /^hw\.gpu\.utilization .*GPU-0 .*(?:general|memory)/u },
    {
      begin: () => nvml.set({ '0.UtilizationRates': '0 4294967295 101' }),
      end: () => nvml.set({ '0.UtilizationRates': '0 0 0' }),
      problem: /Cannot read utilization\.\w+ of .* \(GPU-0\): expected 0 to 1, found/u,
    },
  );
});

test('nvml withstands a field that the driver cannot read, and reads the other fields', { skip }, (t) => {
  const { nvml, machine } = openMachine();
  return checkFault(
    t,
    { ...machine, subject: /^hw\.temperature .*GPU-0.* memory/u },
    {
      begin: () => nvml.set({ '0.Field.82': '999' }),
      end: () => nvml.remove('0.Field.82'),
      problem: /Cannot read temperature\.memory of .* \(GPU-0\): unknown error \(NVML 999\)/u,
    },
  );
});

test('nvml withstands a list of processes that cannot be read, and reads the rest', { skip }, (t) => {
  const { nvml, machine } = openMachine();
  nvml.set({ '*.ComputeRunningProcesses': `0 ${process.pid} 4096` });
  return checkFault(
    t,
    { ...machine, subject: /^(?:process\.gpu\.memory\.usage|hw\.gpu\.process\.count) .*GPU-0/u },
    {
      begin: () => nvml.set({ '0.GraphicsRunningProcesses': '999' }),
      end: () => nvml.remove('0.GraphicsRunningProcesses'),
      problem: /Cannot read graphics processes of .* \(GPU-0\): unknown error \(NVML 999\)/u,
    },
  );
});

test('nvml counts on after the reset of a counter of energy', { skip }, (t) => {
  const { machine, reset } = openMachine();
  return checkFault(t, machine, createReset(reset));
});

test('nvml withstands a driver that does not answer, and reads other libraries', { skip }, async (t) => {
  const [nvml, other] = ['GPU-0', 'GPU-1'].map((uuid) =>
    buildNvml({ ...repeatGpu(1), '0.UUID': `0 ${uuid}` }),
  );
  const start =
    (library: string | undefined): StartReceiver =>
    (overrides) =>
      startReceiver(
        t,
        factory,
        { library, collection_interval: '100ms', metrics: { profiling: false } },
        overrides,
      );
  await checkHang([start(nvml?.path), start(other?.path)], {
    begin: () => nvml?.set({ 'delay.TotalEnergyConsumption': '0 15000000' }),
    end: () => nvml?.remove('delay.TotalEnergyConsumption'),
    isSubject: (name) => name.includes('GPU-0'),
    // Depends on the clock of the receiver.
    ignored: /hw\.gpu\.(?:time|throttle\.time)/u,
  });
});

test(
  'nvml counts and logs a GPU that is lost, reads the other one, and takes it up again',
  { skip },
  async (t) => {
    const { nvml, machine, joules } = openMachine();
    const meter = createMeterReader();
    const settings = { ...machine.settings, collection_interval: '1h' };
    const { read, collector, log } = await startPacedReceiver(t, factory, settings, { meter: meter.meter });
    const energyOf = async (gpu: string) => {
      machine.tick();
      const readings = await read(1);
      return readings.findLast(
        ([{ metric, attributes }]) => metric.name === 'hw.energy' && attributes['hw.id'] === gpu,
      )?.[1];
    };
    const total = { joules: 0 };
    const before = joules();
    await energyOf('GPU-0');
    total.joules += sumLastValues(collector.tables, 'hw.energy');
    nvml.set({ '0.lost': '0 15' });
    for (let i = 0; i < 3; i++) assert.ok(Number.isFinite(await energyOf('GPU-1')));
    const lost = log.lines.filter((line) => line.includes('is lost') || line.includes('Lost "'));
    assert.deepEqual(new Set(lost).size, lost.length, lost.join('\n'));
    const errored = Object.entries(await meter.read()).filter(([key]) => key.includes('errored'));
    assert.ok(errored.some(([, count]) => count >= 3));
    nvml.remove('0.lost');
    await until(async () => Number.isFinite(await energyOf('GPU-0')));
    assert.ok(
      ((await energyOf('GPU-0')) ?? NaN) < joules() - before,
      'nothing is counted of the time in between',
    );
  },
);
