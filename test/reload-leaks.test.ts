import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogCollector } from '../src/component/fakes.js';
import { createFactoryFinder } from '../src/component/find.js';
import { nodeOf } from '../src/config/node.js';
import { validateService } from '../src/config/service.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { createWallClock } from '../src/linux/clock.js';
import { countOpen, expectNothingLeft } from '../src/linux/open-resources.js';
import { Service } from '../src/pipeline/service.js';
import { createSampling } from '../src/sampling/sampling-threads.js';
import { startTelemetry } from '../src/telemetry/telemetry.js';
import { readHeapBytes } from '../src/testing/allocation.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';

/** For a longer test, set JOULEMETRY_TEST_RELOAD_SECONDS, for example to 60. */
const minRounds = 16;
const minRequests = 100;
const seconds = Number(process.env['JOULEMETRY_TEST_RELOAD_SECONDS'] ?? 0);
const pauseMs = 10;
/**
 * Maximum growth of the process in bytes over all rounds: less than the memory started by one round, times the
 * number of rounds.
 */
const maxGrowthBytes = 20e6;

/** Two configurations that differ in every component except one exporter and one receiver. */
function describeBoth(url: string): readonly [object, object] {
  const folder = createFolder();
  const describe = (isSecond: boolean) => ({
    receivers: {
      // Not process, which keeps a number of open files that depends on the number of processes.
      simulator: {
        collection_interval: '200ms',
        sampling_interval: '10ms',
        flush_interval: isSecond ? '100ms' : '200ms',
      },
      host: { collection_interval: isSecond ? '400ms' : '500ms' },
      'host/stays': { collection_interval: '500ms' },
    },
    processors: { attribution: { process_limit: isSecond ? 5 : 10 }, power: {} },
    exporters: {
      'otlp_http/stays': { endpoint: url },
      otlp_http: {
        endpoint: url,
        batch: { max_points: isSecond ? 1000 : 2000 },
        sending_queue: { storage: 'file_storage' },
      },
      prometheus: { endpoint: 'localhost:0', ended_for: isSecond ? '1s' : '2s' },
    },
    extensions: {
      file_storage: { directory: folder, fsync: isSecond },
      health_check: { endpoint: 'localhost:0', path: isSecond ? '/a' : '/b' },
    },
    service: {
      extensions: ['file_storage', 'health_check'],
      pipelines: {
        metrics: {
          receivers: ['simulator', 'host/stays', ...(isSecond ? ['host'] : [])],
          processors: isSecond ? ['attribution'] : ['attribution', 'power'],
          exporters: ['otlp_http/stays', 'otlp_http', ...(isSecond ? [] : ['prometheus'])],
        },
      },
    },
  });
  return [describe(false), describe(true)];
}

async function startService(t: TestContext, configs: readonly [object, object]) {
  const log = createLogCollector();
  const telemetry = await startTelemetry({
    level: 'normal',
    pull: undefined,
    pushes: [],
    attributes: {},
    log,
  });
  t.after(() => telemetry.shutdown());
  const { meter } = telemetry;
  const finder = createFactoryFinder(process.cwd());
  const load = (round: number) => validateService(nodeOf(configs[round % 2]), finder);
  let round = 0;
  const service = new Service(await load(0), {
    logFor: () => log,
    clock: createWallClock(),
    meter,
    host: { attributes: {} },
    sampling: createSampling({ log, meter }),
    loadConfig: () => load(round),
  });
  t.after(() => service.shutdown());
  await service.start();
  const reload = async () => {
    round += 1;
    const { outcome, problem, restarted } = await service.reload();
    assert.equal(outcome, 'changed', problem);
    assert.ok(restarted.length > 4, restarted.join());
  };
  /** Does not wait for the previous reload. */
  const request = () => {
    round += 1;
    return service.reload();
  };
  return { service, reload, request, log };
}

interface Repetition {
  readonly minTimes: number;
  /** Exporters that keep a connection to the backend between their requests. */
  readonly connections: number;
}

/** Repeats work an even number of times, and expects that no resource is leaked. */
async function repeat(
  t: TestContext,
  { minTimes, connections }: Repetition,
  work: (time: number) => Promise<unknown>,
): Promise<void> {
  // Descriptors that are opened once, for example by the first request, are open after the first rounds. On a slow
  // machine a reload closes the connections of these rounds before they are counted.
  const before = new Map<string, number>([['TCPSocketWrap', connections]]);
  for (let time = 0; time < 8; time++) {
    await work(time);
    await sleep(pauseMs);
    for (const [name, count] of countOpen()) before.set(name, Math.max(count, before.get(name) ?? 0));
  }
  const beforeBytes = readHeapBytes();
  const endMs = performance.now() + seconds * 1000;
  let times = 0;
  while (times < minTimes || performance.now() < endMs || times % 2 === 1) {
    await work(times);
    await sleep(pauseMs);
    times += 1;
  }
  await expectNothingLeft(before);
  await until(() => readHeapBytes() < beforeBytes + maxGrowthBytes);
  t.diagnostic(`${times} times, heap ${beforeBytes} -> ${readHeapBytes()} bytes`);
  for (const name of ['thread', 'descriptor', 'Timeout', 'TCPSocketWrap'])
    t.diagnostic(`${name}: ${before.get(name) ?? 0} -> ${countOpen().get(name) ?? 0}`);
}

test('reloads that change nearly everything leave nothing open', async (t) => {
  const backend = await openHttpBackend(t);
  const { service, reload, log } = await startService(t, describeBoth(backend.url));
  await repeat(t, { minTimes: minRounds, connections: 2 }, async () => {
    await reload();
    backend.received.length = 0;
    log.lines.length = 0;
  });
  await service.shutdown();
});

test('reloads that are requested every 10 ms, faster than they end, leave nothing open', async (t) => {
  const backend = await openHttpBackend(t);
  const describe = (path: string) => ({
    receivers: { host: { collection_interval: '500ms' } },
    exporters: { otlp_http: { endpoint: backend.url, batch: { max_points: path.length * 100 } } },
    extensions: { health_check: { endpoint: 'localhost:0', path } },
    service: {
      extensions: ['health_check'],
      pipelines: { metrics: { receivers: ['host'], exporters: ['otlp_http'] } },
    },
  });
  const { service, request, log } = await startService(t, [describe('/'), describe('/other')]);
  let last: Promise<unknown> = Promise.resolve();
  await repeat(t, { minTimes: minRequests, connections: 1 }, async (time) => {
    last = request();
    backend.received.length = 0;
    log.lines.length = 0;
    if (time < 10 || time % 50 === 49) await last;
  });
  await service.shutdown();
});
