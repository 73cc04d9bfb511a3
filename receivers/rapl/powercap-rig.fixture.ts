import type { TestContext } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { readClocks } from '../../src/linux/clocks.js';
import type { Series } from '../../src/model/series.js';
import { createSamplerMetrics, SamplerChannel } from '../../src/sampling/sampler-channel.js';
import { SamplerSlot } from '../../src/sampling/sampler-slot.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { schema } from './config.js';
import { CounterGate } from './counter-gate.js';
import type { Columns } from './domain.js';
import { RaplReceiver } from './factory.js';
import type { FakeSysfs } from './fake-sysfs.fixture.js';
import { readEnergy } from './find-powercap.js';
import { openRaplSampler } from './sampler.js';

/** A receiver of a simulated sysfs on a real sampling thread; readings are triggered by the test. */
export async function start(t: TestContext, sysfs: FakeSysfs, name = 'powercap') {
  const log = createLogCollector();
  const next = createTableCollector();
  const fake = createFakeContext({ log });
  const sampling = createSampling(fake);
  // Only the test triggers readings.
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: name, sampling_interval: '1h' });
  const receiver = new RaplReceiver(config, { ...fake, sampling }, next);
  t.after(async () => {
    await receiver.shutdown();
    await sampling.shutdown();
  });
  await receiver.start();
  const read = async (energies: Readonly<Record<string, number | string>>) => {
    for (const [path, microjoules] of Object.entries(energies)) sysfs.writeEnergy(path, microjoules);
    await receiver.flush();
  };
  return { receiver, read, next, log, totals: () => sumUp(next.tables) };
}

/** For each domain: the joules of all its series together, and the number of series. */
function sumUp(tables: ReturnType<typeof createTableCollector>['tables']) {
  const last = new Map<Series, number>();
  for (const { series, values } of tables) {
    values.forEach((value, cell) => {
      const one = series[cell % series.length];
      if (one !== undefined && !Number.isNaN(value)) last.set(one, value);
    });
  }
  const totals: Record<string, [joules: number, series: number]> = {};
  for (const [{ metric, attributes }, joules] of last) {
    const name = `${metric.name} ${attributes['hw.id']}`;
    const [sum, count] = totals[name] ?? [0, 0];
    totals[name] = [Math.round((sum + joules) * 1e6) / 1e6, count + 1];
  }
  return totals;
}

export function writePackage(sysfs: FakeSysfs): void {
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1_000_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 300_000_000 });
}

/**
 * A sampler on this thread, triggered by the test and with its clock, and the tables that the gate publishes
 * for it.
 */
export function startByHand(t: TestContext, sysfs: FakeSysfs) {
  let nowMs = 0;
  const clock = () => nowMs;
  const context = createFakeContext();
  const next = createTableCollector();
  const gate = new CounterGate(context, next, { onChange: () => {}, readCounter: readEnergy, nowMs: clock });
  const request = {
    id: 'rapl',
    module: new URL('./sampler.js', import.meta.url),
    options: undefined,
    periodNs: 1e9,
    flushMs: 1_000,
    describe: (columns: unknown, startNs: bigint) => gate.describe(columns as Columns, startNs),
    next: gate,
    log: context.log,
  };
  const channel = new SamplerChannel(1, request, createSamplerMetrics(context.meter));
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap' });
  const slot = new SamplerSlot(
    {
      id: 1,
      periodNs: 1e9,
      flushNs: 1e9,
      options: config,
      open: () => openRaplSampler(config, clock),
      readClocks,
    },
    {
      post: () => {},
      postRows: (message) => {
        channel.takeRows(message);
        return true;
      },
    },
  );
  slot.open();
  t.after(() => slot.close());
  const readAt = (ms: number, energies: Readonly<Record<string, number>>) => {
    nowMs = ms;
    for (const [path, microjoules] of Object.entries(energies)) sysfs.writeEnergy(path, microjoules);
    slot.flush();
  };
  return { readAt, next, totals: () => sumUp(next.tables) };
}
