import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNoopMeter } from '@opentelemetry/api';
import { createFakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { createLogCollector, createTableCollector } from '../src/component/fakes.js';
import { createFactoryFinder } from '../src/component/find.js';
import { nodeOf } from '../src/config/node.js';
import { validateService, type ServiceConfig } from '../src/config/service.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { createWallClock } from '../src/linux/clock.js';
import { countOpen, expectNothingLeft } from '../src/linux/open-resources.js';
import { decodePoints } from '../src/otlp/decode-request.fixture.js';
import { openGrpcBackend } from '../src/otlp/grpc-backend.fixture.js';
import { Service } from '../src/pipeline/service.js';
import { createSampling } from '../src/sampling/sampling-threads.js';
import { createTestControl } from '../src/sampling/test-sampler.fixture.js';
import { startTelemetry } from '../src/telemetry/telemetry.js';
import { readHeapBytes } from '../src/testing/allocation.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

const rounds = 100;

/**
 * Maximum growth of the process in bytes over all rounds: far less than the memory of one service times the
 * number of rounds.
 */
const maxGrowthBytes = 30e6;

/** Does something a hundred times and expects that no more is open than after the first time. */
async function repeat(work: (round: number) => Promise<void>): Promise<void> {
  await work(0);
  const before = countOpen();
  const maxBytes = readHeapBytes() + maxGrowthBytes;
  for (let round = 1; round < rounds; round++) await work(round);
  await expectNothingLeft(before);
  // Buffers are freed one or two collections after their owners.
  await until(() => readHeapBytes() < maxBytes);
}

interface Endpoints {
  readonly http: string;
  readonly grpc: string;
}

/** Every kind of component: scraped and sampled receivers, processors, exporters that push and that serve. */
function describeWholeService(t: TestContext, { http, grpc }: Endpoints): Promise<ServiceConfig> {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 5_000_000 });
  const config = {
    receivers: {
      rapl: { sysfs: sysfs.root, interface: 'powercap', sampling_interval: '1ms', flush_interval: '10ms' },
      host: { collection_interval: '10ms' },
      process: { collection_interval: '10ms' },
    },
    processors: { attribution: {}, power: {} },
    exporters: {
      otlp_http: { endpoint: http },
      otlp_grpc: { endpoint: grpc, tls: { insecure: true } },
      prometheus: { endpoint: 'localhost:0' },
      console: {},
    },
    extensions: { health_check: { endpoint: 'localhost:0' } },
    service: {
      extensions: ['health_check'],
      pipelines: {
        metrics: {
          receivers: ['rapl', 'host', 'process'],
          processors: ['attribution', 'power'],
          exporters: ['otlp_http', 'otlp_grpc', 'prometheus', 'console'],
        },
      },
    },
  };
  return validateService(nodeOf(config), createFactoryFinder(process.cwd()));
}

/** One life cycle of the agent, from the telemetry to the last flush. */
async function runOnce(config: ServiceConfig): Promise<void> {
  const log = createLogCollector();
  const telemetry = await startTelemetry({
    level: 'normal',
    pull: { host: 'localhost', port: 0, isExplicit: true },
    pushes: [],
    attributes: {},
    log,
  });
  const { meter } = telemetry;
  const service = new Service(config, {
    logFor: () => log,
    clock: createWallClock(),
    meter,
    host: { attributes: {} },
    sampling: createSampling({ log, meter }),
  });
  try {
    await service.start();
    await service.shutdown(120_000);
  } finally {
    await telemetry.shutdown();
  }
  assert.deepEqual(
    log.lines.filter((line) => /^(error|warn)/.test(line)),
    [],
  );
}

test('a service leaves nothing open when it starts and stops a hundred times', async (t) => {
  const http = await openHttpBackend(t);
  const grpc = await openGrpcBackend(t);
  const config = await describeWholeService(t, { http: http.url, grpc: grpc.endpoint });
  await repeat(async () => {
    await runOnce(config);
    assert.ok(http.received.length > 0 && grpc.received.length > 0);
    http.received.length = 0;
    grpc.received.length = 0;
  });
});

test('sampling threads leave nothing open when they start and stop a hundred times', async () => {
  const log = createLogCollector();
  const metric = { name: 'x', unit: '1', description: '', kind: 'counter', valueType: 'int' } as const;
  const request = {
    id: 'test',
    module: new URL('../src/sampling/test-sampler.fixture.js', import.meta.url),
    options: createTestControl(),
    periodNs: 1e6,
    flushMs: 5,
    describe: (_: unknown, start: bigint) => [
      { metric, resource: { attributes: {} }, attributes: {}, start },
    ],
    next: createTableCollector(),
    log,
  };
  await repeat(async (round) => {
    const sampling = createSampling({ log, meter: createNoopMeter(), stopTimeoutMs: 120_000 });
    await sampling.start({ ...request, ownThread: round % 2 === 0 });
    await sampling.start(request);
    await sampling.shutdown();
    request.next.tables.length = 0;
  });
});

test('the agent exits normally and loses no row when SIGTERM arrives at any instant of its start', async (t) => {
  const backend = await openHttpBackend(t);
  const path = writeConfig(`
receivers: {estimate: {collection_interval: 20ms}}
exporters: {debug: {verbosity: normal}, otlp_http: {endpoint: "${backend.url}"}}
service:
  pipelines: {metrics: {receivers: [estimate], exporters: [debug, otlp_http]}}
  telemetry: {metrics: {level: none}}
`);
  for (let round = 0; round < 8; round++) {
    backend.received.length = 0;
    const agent = startAgent(['run', '-c', path]);
    await sleep(randomInt(800));
    const { code, stderr } = await agent.stop();
    // Before Node has started, the signal kills it.
    assert.ok(code === 0 || (code === null && stderr === ''), `${code}: ${stderr}`);
    assert.doesNotMatch(stderr, /\n {4}at |Warning/);
    const points = backend.received.flatMap(({ bytes }) => decodePoints(bytes));
    const rows = points.filter(({ name, value }) => name === 'hw.host.energy' && value !== undefined);
    assert.ok(new Set(rows.map(({ time }) => time)).size >= countEnergyRows(stderr), stderr);
  }
});

test('SIGTERM ends the agent in order although a hook at its start does not end', async () => {
  const path = writeConfig(`
receivers: {estimate: {}}
exporters: {debug: {}}
extensions:
  hooks:
    start: [{shell: 'echo at work; sleep 1000', timeout: 1000s}]
    shutdown: [{command: [echo, undone]}]
service:
  extensions: [hooks]
  pipelines: {metrics: {receivers: [estimate], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
`);
  const agent = startAgent(['run', '-c', path]);
  await agent.waitFor(/at work/u);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /Shutting down: received SIGTERM\n.*expected it to end before the collector.*\n.*undone/u,
  );
});

/** Lines of the debug exporter. */
function countEnergyRows(output: string): number {
  return [...output.matchAll(/ hw\.host\.energy.* J$/gm)].length;
}
