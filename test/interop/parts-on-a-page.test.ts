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

type Scrapes = readonly (readonly PageSample[])[];

/** Some consecutive scrapes with energy of this number of domains; the first with a ledger is left out. */
async function collectScrapes(t: TestContext, peer: PeerName, domains: number): Promise<Scrapes> {
  const prometheus = await startPrometheus(t, peer, 'otel-examples/prometheus/prometheus.yml');
  let scrapes: Scrapes = [];
  await until(async () => {
    scrapes = (await readScrapes(prometheus)).filter((page) => sumDomains(page).length === domains).slice(1);
    return scrapes.length >= 5;
  });
  const counts = scrapes.map((page) => page.length);
  t.diagnostic(`${scrapes.length} scrapes of ${counts.join(', ')} series of energy by ${peer}`);
  return scrapes;
}

function assertViews(scrapes: Scrapes, views: readonly string[]): void {
  for (const page of scrapes) {
    const sums = sumViews(page, views);
    assert.ok(sums.some(({ wholeNj }) => wholeNj > 0n));
    assertWhole(sums);
  }
}

/** Of each domain: by how much the meter is ahead of its ledger in each scrape, without duplicates. */
function listLeads(scrapes: Scrapes): readonly (readonly bigint[])[] {
  const leads = new Map<string, Set<bigint>>();
  for (const { what, wholeNj, partsNj } of scrapes.flatMap(sumDomains)) {
    leads.set(what, (leads.get(what) ?? new Set()).add(wholeNj - partsNj));
  }
  return Array.from(leads.values(), (set) => Array.from(set));
}

for (const peer of ['prometheus', 'prometheus-otlp'] as const) {
  const skip = isWithout(peer);
  test(`in each scrape of the default agent by ${peer}, the parts equal the whole`, { skip }, async (t) => {
    // With a limit, a process that gets its series again starts at 0.
    await startDefaultAgent(t, { endedFor: '1h', processLimit: 0, groupLimit: 0 });
    const scrapes = await collectScrapes(t, peer, 2);
    assertViews(scrapes, ['process', 'program', 'systemd_unit', 'container', 'k8s_pod']);
    // On a machine that is too busy to move the meter between its first two readings, the meter seems to be slow:
    // then it stays ahead by its first refresh.
    for (const [lead = -1n, ...others] of listLeads(scrapes)) {
      assert.deepEqual(others, []);
      assert.ok(lead >= 0n, `${lead} nJ`);
    }
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
    const scrapes = await collectScrapes(t, peer, 5);
    assertViews(scrapes, ['process', 'linux_cgroup', 'systemd_unit', 'k8s_pod', 'job', 'user']);
    for (const page of scrapes) assertWhole(sumDomains(page));
  });
}
