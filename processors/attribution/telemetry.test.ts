import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { createFakeContext } from '../../src/component/fakes.js';
import { playBusy, playSecond } from './rig.fixture.js';

class TestReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** The last value of each instrument, by name. */
async function readValues(reader: MetricReader): Promise<Record<string, unknown>> {
  const { resourceMetrics } = await reader.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  return Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.at(-1)?.value]),
  );
}

test('attribution reports the quality of its ledger as own telemetry', async () => {
  const reader = new TestReader();
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
  const { rig, meter: energy, process } = playBusy({ floor: [{ power: 4 }] }, createFakeContext({ meter }));
  rig.tick(1, 0.004);
  playSecond({ rig, meter: energy, used: [[process, 2]] }, 2, 1.75);
  assert.deepEqual(await readValues(reader), {
    'joulemetry.attribution.residual': 0,
    'joulemetry.attribution.unattributed': 0,
    'joulemetry.attribution.error': 1,
    'joulemetry.attribution.refresh.ratio': 0,
    'joulemetry.attribution.tick.ratio': 0.004,
    'joulemetry.attribution.floor.power': 4,
    'joulemetry.attribution.weight': 1,
    'joulemetry.attribution.fallback': 0,
    'joulemetry.attribution.overlap': 0.15,
    'joulemetry.attribution.unmeasured': 0,
  });
});

test('attribution publishes the quality of its ledger with the energy', () => {
  const { rig, meter, process } = playBusy();
  rig.tick(1, 0.004);
  // 0.15 s were used by no process.
  playSecond({ rig, meter, used: [[process, 1.85]] }, 2, 2);
  const names = ['unattributed', 'refresh.ratio', 'tick.ratio', 'residual'];
  const values = names.map((name) => rig.out.last(`attribution.${name}`).map(({ value }) => value));
  assert.deepEqual(values, [[0.15], [0], [0.004], [0]]);
  const [{ series }] = rig.out.last('attribution.refresh.ratio');
  assert.deepEqual(series.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'energy.method': 'estimated',
  });
});

test('attribution reports for how long the energy was not known', async () => {
  const reader = new TestReader();
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
  const { rig } = playBusy({}, createFakeContext({ meter }));
  const next = rig.createMeter({}, 1.5);
  rig.energy(next, 1.5, 0);
  for (const atS of [2, 3]) {
    rig.energy(next, atS, 10 * (atS - 1.5));
    rig.boundary(atS, atS);
  }
  const values = await readValues(reader);
  assert.equal(values['joulemetry.attribution.unmeasured'], 0.5);
});
