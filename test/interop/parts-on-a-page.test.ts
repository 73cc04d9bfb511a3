import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { assertWhole, sumDomains, sumViews, type PageSample } from '../page-sums.js';
import { startDefaultAgent } from './default-agent.js';
import { isWithout, type PeerName } from './peers.js';
import { startPrometheus, type Prometheus } from './prometheus.js';

/** The energy on each page that was scraped in the last 5 minutes. */
async function readScrapes(prometheus: Prometheus): Promise<readonly (readonly PageSample[])[]> {
  const scrapes = new Map<number, PageSample[]>();
  for (const sample of await prometheus.query('{job="joulemetry",__name__=~".+_energy_joules_total"}[5m]')) {
    const samples = scrapes.get(sample.timeMs) ?? [];
    samples.push(sample);
    scrapes.set(sample.timeMs, samples);
  }
  return [...scrapes].toSorted(([a], [b]) => a - b).map(([, samples]) => samples);
}

/** Fails unless the parts of some consecutive scrapes are the whole; the first with a ledger is left out. */
async function assertScrapes(
  t: TestContext,
  peer: PeerName,
  { domains, views }: { readonly domains: number; readonly views: readonly string[] },
): Promise<void> {
  const prometheus = await startPrometheus(t, peer, 'otel-examples/prometheus/prometheus.yml');
  let scrapes: readonly (readonly PageSample[])[] = [];
  await until(async () => {
    scrapes = (await readScrapes(prometheus)).filter((page) => sumDomains(page).length === domains).slice(1);
    return scrapes.length >= 5;
  });
  for (const page of scrapes) {
    const sums = [...sumDomains(page), ...sumViews(page, views)];
    assert.ok(sums.some(({ wholeNj }) => wholeNj > 0n));
    assertWhole(sums);
  }
  const counts = scrapes.map((page) => page.length);
  t.diagnostic(`${scrapes.length} scrapes of ${counts.join(', ')} series of energy by ${peer}`);
}

for (const peer of ['prometheus', 'prometheus-otlp'] as const) {
  const skip = isWithout(peer);
  test(`in each scrape of the default agent by ${peer}, the parts equal the whole`, { skip }, async (t) => {
    await startDefaultAgent(t, { endedFor: '1h' });
    const views = ['process', 'program', 'systemd_unit', 'container', 'k8s_pod'];
    await assertScrapes(t, peer, { domains: 2, views });
  });

  test(`in each scrape of a simulated machine by ${peer}, the parts equal the whole`, { skip }, async (t) => {
    const config = writeConfig(`
receivers: {simulator: {truth: false}}
processors:
  attribution: {views: [process, cgroup, unit, pod, job, user], floor: [{hw_type: cpu, power: 10}], process_limit: 0}
exporters: {prometheus: {ended_for: 1h}}
service:
  pipelines: {metrics: {receivers: [simulator], processors: [attribution], exporters: [prometheus]}}
`);
    const agent = startAgent(['run', '-c', config]);
    t.after(() => agent.stop('SIGKILL'));
    await agent.waitFor(/Everything is ready/);
    const views = ['process', 'linux_cgroup', 'systemd_unit', 'k8s_pod', 'job', 'user'];
    await assertScrapes(t, peer, { domains: 5, views });
  });
}
