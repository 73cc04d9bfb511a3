import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createFakeContext,
  createFakeSampler,
  createLogCollector,
  createTableCollector,
} from '../../src/component/fakes.js';
import type { OpenSampler, SamplerRequest, Sampling } from '../../src/component/sampling.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';

function writeMachine(sysfs: FakeSysfs): void {
  sysfs.writeZone('intel-rapl:0', { name: 'package-0-die-1', microjoules: 7_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 8_000_000 });
  sysfs.writeZone('intel-rapl:0:1', { name: 'core', microjoules: 9_000_000 });
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: 9_000_000 });
}

/** Opens samplers in this thread and reads them once. */
class DirectSampling implements Sampling {
  readonly requests: SamplerRequest[] = [];
  series: readonly Series[] = [];
  stopped = 0;

  async start(request: SamplerRequest) {
    this.requests.push(request);
    const module = (await import(request.module.href)) as { openSampler: OpenSampler };
    const sampler = module.openSampler(structuredClone(request.options));
    this.series = request.describe(structuredClone(sampler.columns), 5n);
    const values = new Float64Array(sampler.width);
    sampler.read(values, 0);
    sampler.close();
    request.next.consume({ series: this.series, epoch: 5n, offsets: new Float64Array(1), values });
    const stop = () => {
      this.stopped++;
      return Promise.resolve();
    };
    return createFakeSampler({ stop });
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

test('factory creates a receiver that samples at the configured rate', async (t) => {
  const sysfs = createFakeSysfs(t);
  writeMachine(sysfs);
  const sampling = new DirectSampling();
  const log = createLogCollector();
  const next = createTableCollector();
  const config = parseSettings(schema, {
    sysfs: sysfs.root,
    sampling_interval: '20us',
    flush_interval: '50ms',
  });
  const receiver = factory.create(config, createFakeContext({ id: 'rapl/x', sampling, log }), next);
  await receiver.start();
  await receiver.shutdown();
  await receiver.shutdown();
  const [request] = sampling.requests;
  assert.deepEqual([request?.id, request?.periodNs, request?.flushMs], ['rapl/x', 20_000, 50]);
  assert.equal(sampling.stopped, 1);
  assert.deepEqual(log.lines, ['info: Reads powercap: package-0-die-1, dram-0-die-1, core-0-die-1, psys']);
  assert.deepEqual(next.tables[0]?.values, new Float64Array(4));
});

test('factory puts only domains that do not overlap into hw.energy', async (t) => {
  const sysfs = createFakeSysfs(t);
  writeMachine(sysfs);
  const sampling = new DirectSampling();
  const host = { attributes: { 'host.name': 'box' } };
  const config = parseSettings(schema, { sysfs: sysfs.root });
  const receiver = factory.create(config, createFakeContext({ sampling, host }), createTableCollector());
  await receiver.start();
  const meter = { 'energy.method': 'measured', 'energy.interface': 'powercap' };
  const described = sampling.series.map(({ metric, attributes }) => [metric.name, attributes]);
  assert.deepEqual(described, [
    [
      'hw.energy',
      { 'hw.type': 'cpu', 'hw.id': 'cpu-package-0-die-1', 'hw.name': 'package-0-die-1', ...meter },
    ],
    [
      'hw.energy',
      {
        'hw.type': 'memory',
        'hw.id': 'dram-0-die-1',
        'hw.name': 'dram-0-die-1',
        'hw.parent': 'cpu-package-0-die-1',
        ...meter,
      },
    ],
    [
      'rapl.energy',
      { 'rapl.domain': 'core', 'hw.id': 'core-0-die-1', 'hw.parent': 'cpu-package-0-die-1', ...meter },
    ],
    ['rapl.energy', { 'rapl.domain': 'psys', 'hw.id': 'psys', ...meter }],
  ]);
  assert.ok(sampling.series.every(({ resource, start }) => resource === host && start === 5n));
});

test('factory probes the readable counters', async (t) => {
  const sysfs = createFakeSysfs(t);
  writeMachine(sysfs);
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap' });
  assert.deepEqual(await factory.probe(config, createFakeContext()), {
    available: true,
    found: 'powercap: package-0-die-1, dram-0-die-1, core-0-die-1, psys',
    remedies: [],
  });
});

test('factory probes a machine without RAPL', async (t) => {
  const sysfs = createFakeSysfs(t);
  const config = parseSettings(schema, { sysfs: sysfs.root });
  const probe = await factory.probe(config, createFakeContext());
  assert.equal(probe.available, false);
  assert.equal(
    probe.found,
    `perf_event: ${sysfs.root}/bus/event_source/devices/power does not exist; ` +
      `powercap: ${sysfs.root}/class/powercap has no intel-rapl zone of a package`,
  );
  assert.deepEqual(probe.remedies, [
    { missing: 'the kernel drivers of RAPL', command: 'sudo modprobe -a rapl intel_rapl_msr' },
  ]);
});

test('factory suggests no driver of RAPL on other CPUs than those of x86', async (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('devices/system/cpu/modalias', 'cpu:type:aarch64:feature:,0000,0001,0002,0003\n');
  const config = parseSettings(schema, { sysfs: sysfs.root });
  assert.deepEqual(await factory.probe(config, createFakeContext()), {
    available: false,
    found: 'RAPL is available only on x86 CPUs',
    remedies: [],
  });
});

test('factory refuses settings that leave nothing to read', () => {
  const none = { package: false, dram: false, core: false, uncore: false, psys: false };
  assert.deepEqual(factory.check?.(parseSettings(schema, { domains: none })), [
    'domains: all are false, at least one must be read',
  ]);
  assert.deepEqual(factory.check?.(parseSettings(schema, {})), []);
});
