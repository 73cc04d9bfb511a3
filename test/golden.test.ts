import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { createNoopMeter } from '@opentelemetry/api';
import { createLogCollector } from '../src/component/fakes.js';
import { createFactoryFinder } from '../src/component/find.js';
import { parseConfigText } from '../src/config/read-yaml.js';
import { validateService } from '../src/config/service.js';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { Service } from '../src/pipeline/service.js';
import { waitForDueScrapes } from '../src/scraping/scrape-order.js';
import { beginNs, createStillSampling, goldenPath, openGoldenMachine } from './golden-machine.js';
import { describePoints } from './golden-text.js';

/** All components of a default agent, on another machine, with an OTLP backend. Never scrapes by itself. */
function describeConfig(root: string, url: string): string {
  return `
receivers:
  process: {procfs: ${root}/proc, passwd: ${root}/passwd, collection_interval: 24h, metrics: {faults: true, io: true}}
  host: {procfs: ${root}/proc, sysfs: ${root}/sys, collection_interval: 24h}
  rapl: {sysfs: ${root}/sys, interface: powercap}
processors:
  resource: {detectors: [os], root: ${root}}
  attribution: {views: [process, program, cgroup, unit, container], cpu_count: 4, process_limit: 0, floor: [{hw_type: cpu, power: 1}, {hw_type: memory, power: 0.1}]}
  power:
exporters: {otlp_http: {endpoint: "${url}"}}
service:
  pipelines:
    metrics: {receivers: [process, host, rapl], processors: [resource, attribution, power], exporters: [otlp_http]}
`;
}

/** Runs the agent through all seconds of the machine. */
async function run(t: TestContext): Promise<{ points: readonly DecodedPoint[]; log: readonly string[] }> {
  const machine = openGoldenMachine();
  const backend = await openHttpBackend(t);
  const log = createLogCollector();
  const node = parseConfigText(
    describeConfig(machine.root, backend.url),
    'golden.yaml',
    { env: {}, onUnset() {} },
    [],
  );
  const service = new Service(await validateService(node, createFactoryFinder(process.cwd())), {
    clock: machine.clock,
    logFor: () => log,
    meter: createNoopMeter(),
    host: { attributes: { 'host.name': 'golden' } },
    sampling: createStillSampling(machine.clock),
  });
  await service.start();
  t.after(() => service.shutdown());
  await waitForDueScrapes(machine.clock);
  for (let second = 1; second <= 2; second++) {
    machine.advance();
    await service.flush();
  }
  // The shutdown reads the last second.
  machine.advance();
  await service.shutdown();
  return { points: backend.received.flatMap(({ bytes }) => decodePoints(bytes)), log: log.lines };
}

test('the whole agent publishes the contents of the golden file for a fixture machine', async (t) => {
  const { points, log } = await run(t);
  assert.deepEqual(
    log.filter((line) => /^(?:error|warn)/u.test(line) && !line.includes('resolution of 10 ms')),
    [],
  );
  const text = describePoints(points, beginNs);
  if (process.env['JOULEMETRY_UPDATE_GOLDEN'] !== undefined) writeFileSync(goldenPath, text);
  assert.equal(text, readFileSync(goldenPath, 'utf8'));
});
