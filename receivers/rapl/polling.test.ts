import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { RowThinner } from '../../src/sampling/row-buffer.js';
import { schema } from './config.js';
import { createSeries } from './domain.js';
import { choosePolling } from './factory.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';
import { openRaplSampler } from './sampler.js';

function choose(sysfs: FakeSysfs, settings: object) {
  const { periodNs, isFiner } = choosePolling(parseSettings(schema, { sysfs: sysfs.root, ...settings }));
  return [periodNs / 1e6, isFiner];
}

test('choosePolling uses the sampling interval when that is short enough', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1 });
  assert.deepEqual(choose(sysfs, { sampling_interval: '100us' }), [0.1, false]);
  assert.deepEqual(choose(sysfs, { sampling_interval: '10s' }), [10_000, false]);
});

test('choosePolling reads at least every 10 s, in whole fractions of the sampling interval', (t) => {
  const sysfs = createFakeSysfs(t);
  assert.deepEqual(choose(sysfs, { sampling_interval: '5m' }), [10_000, true]);
  assert.deepEqual(choose(sysfs, { sampling_interval: '25s', interface: 'perf_event' }), [
    8_333.333_333,
    true,
  ]);
});

test('choosePolling reads often enough that no zone can advance by more than half its range', (t) => {
  const sysfs = createFakeSysfs(t);
  // 65.5 kJ last for 6.6 s at ten times a limit of 1 kW: 3.3 s for half of it.
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1, maxMicrojoules: 65_532_610_987 });
  sysfs.write('class/powercap/intel-rapl:0/constraint_0_max_power_uw', '1000000000\n');
  assert.deepEqual(choose(sysfs, { sampling_interval: '1m' }), [3_157.894_737, true]);
  assert.deepEqual(choose(sysfs, { sampling_interval: '3s' }), [3_000, false]);
  assert.deepEqual(choose(sysfs, { sampling_interval: '1m', interface: 'perf_event' }), [10_000, true]);
});

test('choosePolling reads a zone without a range no more often than others', (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 1, maxMicrojoules: 0 });
  assert.deepEqual(choose(sysfs, { sampling_interval: '20s' }), [10_000, true]);
});

test('choosePolling misses no wrap with one row in five minutes and readings in between', (t) => {
  const sysfs = createFakeSysfs(t);
  // A unit of 15,258 nJ, as on AMD: at 700 W it wraps every 94 s.
  const range = { microjoules: 0, maxMicrojoules: 65_532_610_987 };
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', ...range });
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap', sampling_interval: '5m' });
  const { periodNs } = choosePolling(config);
  let ms = 0;
  const sampler = openRaplSampler(config, () => ms);
  t.after(() => sampler.close());
  const next = createTableCollector();
  const thinner = new RowThinner(next, config.sampling_interval * 1e6, periodNs);
  const domains = [{ kind: 'package' as const, package: 0 }];
  const series = createSeries({ interface: 'powercap', domains, agesMs: [0] }, { attributes: {} }, 0n);
  for (; ms <= 3_600_000; ms += periodNs / 1e6) {
    const units = (700_000_000n * BigInt(ms)) / 15_258n;
    sysfs.writeEnergy('intel-rapl:0', Number(((units % 2n ** 32n) * 15_258n) / 1_000n));
    const values = new Float64Array(1);
    sampler.read(values, 0);
    sampler.maintain?.();
    thinner.consume({ series, epoch: BigInt(ms) * 1_000_000n, offsets: new Float64Array(1), values });
  }
  assert.equal(sampler.generation, 0);
  const joules = next.tables.map(({ values }) => values[0] ?? NaN);
  assert.equal(joules.length, 13);
  // 15 uJ is the counter's unit.
  for (const [i, one] of joules.entries()) assert.ok(Math.abs(one - i * 210_000) < 17e-6, `${one} J`);
});
