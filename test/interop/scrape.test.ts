import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/contract/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { keyOf, parseExposition } from './exposition.js';
import { createMeter } from './measured-agent.js';
import { isWithout } from './peers.js';
import { startPrometheus, type Prometheus, type Sample } from './prometheus.js';

/** What Prometheus says of a scrape itself. */
const ofTheScrape = /^(?:up|scrape_.*|ALERTS.*)$|:/u;

/** The default agent with a meter that stands in, and readings that are seldom enough to be compared. */
async function startDefaultAgent(t: TestContext, interval: string) {
  const meter = createMeter(t);
  const over = writeConfig(`
receivers:
  process: {collection_interval: ${interval}}
  host: {collection_interval: ${interval}}
  rapl: {sysfs: ${meter.sysfs}, interface: powercap, sampling_interval: ${interval}, flush_interval: ${interval}}
processors: {power: {window: ${interval}}}
exporters: {prometheus: {ended_for: 1h}}
`);
  const agent = startAgent(['run', '-c', 'config/default.yaml', '-c', over]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  meter.run();
  return agent;
}

async function readPage(): Promise<string> {
  const response = await fetch('http://localhost:9464/metrics');
  assert.equal(response.status, 200);
  return response.text();
}

async function findScrape(prometheus: Prometheus): Promise<readonly Sample[]> {
  const samples = await prometheus.query('{job="joulemetry"}');
  return samples.filter(({ labels }) => !ofTheScrape.test(labels['__name__'] ?? ''));
}

/** A page of the agent, and what Prometheus scraped while the agent served it. */
async function scrapeOnce(prometheus: Prometheus) {
  const readTime = async () => {
    const [sample] = await prometheus.query('timestamp(up{job="joulemetry"})');
    return sample?.value ?? 0;
  };
  for (;;) {
    const page = await readPage();
    const before = await readTime();
    await until(async () => {
      await sleep(200);
      return (await readTime()) > before;
    });
    const scraped = await findScrape(prometheus);
    const isSame = (await readPage()) === page;
    if (isSame && page.includes('process_energy_joules_total'))
      return { lines: parseExposition(page), scraped };
  }
}

for (const peer of ['prometheus', 'prometheus-otlp'] as const) {
  test(`${peer} scrapes every series of the page with its value`, { skip: isWithout(peer) }, async (t) => {
    await startDefaultAgent(t, '10s');
    const prometheus = await startPrometheus(t, peer, 'otel-examples/prometheus/prometheus.yml');
    const { lines, scraped } = await scrapeOnce(prometheus);
    t.diagnostic(`${scraped.length} series by ${peer} ${await prometheus.version()}`);
    assert.ok(lines.length > 200);
    assert.equal(new Set(lines.map(({ key }) => key)).size, lines.length, 'a series is on the page twice');
    const sorted = (all: readonly { key: string; value: number }[]) =>
      all.map(({ key, value }) => `${key} ${value}`).toSorted();
    assert.deepEqual(
      sorted(scraped.map(({ labels, value }) => ({ key: keyOf(labels), value }))),
      sorted(lines),
    );
    const [samples] = await prometheus.query('scrape_samples_scraped{job="joulemetry"}');
    assert.equal(samples?.value, lines.length);
    await assertFaultless(prometheus);
  });
}

/** Every target answers, and no sample was refused. */
async function assertFaultless(prometheus: Prometheus): Promise<void> {
  const up = await prometheus.query('up');
  assert.deepEqual(up.map(({ labels, value }) => `${labels['job']} ${value}`).toSorted(), [
    'joulemetry 1',
    'joulemetry-internal 1',
  ]);
  const { activeTargets } = (await prometheus.get('targets')) as { activeTargets: { lastError: string }[] };
  assert.deepEqual(
    activeTargets.map(({ lastError }) => lastError),
    ['', ''],
  );
  const own = await (await fetch('http://localhost:9090/metrics')).text();
  for (const fault of ['duplicate_timestamp', 'out_of_order', 'out_of_bounds']) {
    assert.match(own, new RegExp(`^prometheus_target_scrapes_sample_${fault}_total 0$`, 'mu'));
  }
}
