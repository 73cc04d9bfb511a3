import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { startDefaultAgent } from './default-agent.js';
import { keyOf, parseExposition, type Line } from './exposition.js';
import { isWithout } from './peers.js';
import { startPrometheus, type Prometheus } from './prometheus.js';

/** Metrics that Prometheus adds about a scrape. */
const ofTheScrape = /^(?:up|scrape_.*|ALERTS.*)$|:/u;

async function readPage(): Promise<string> {
  const response = await fetch('http://localhost:9464/metrics');
  assert.equal(response.status, 200);
  return response.text();
}

/** The samples of the last scrape, in the form of `textOf`. */
async function readScrape(prometheus: Prometheus): Promise<readonly string[]> {
  const samples = await prometheus.query('{job="joulemetry"}');
  const ofThePage = samples.filter(({ labels }) => !ofTheScrape.test(labels['__name__'] ?? ''));
  return ofThePage.map(({ labels, value }) => textOf({ key: keyOf(labels), value })).toSorted();
}

function textOf({ key, value }: Line): string {
  return `${key} ${value}`;
}

/**
 * Reads pages until one of them is the page that Prometheus scraped: the agent serves each page to all clients
 * for a second.
 * @throws Error when no scrape matches within two minutes
 */
async function findScrapedPage(prometheus: Prometheus): Promise<readonly Line[]> {
  const pages = new Map<string, readonly Line[]>();
  let found: readonly Line[] | undefined;
  await until(async () => {
    const page = await readPage();
    const lines = parseExposition(page);
    const hasEverything = ['process_energy_joules_total', 'ledger_energy_joules_total'].every((name) =>
      page.includes(name),
    );
    if (hasEverything) pages.set(lines.map(textOf).toSorted().join('\n'), lines);
    found = pages.get((await readScrape(prometheus)).join('\n'));
    await sleep(300);
    return found !== undefined;
  });
  assert.ok(found);
  return found;
}

for (const peer of ['prometheus', 'prometheus-otlp'] as const) {
  test(`${peer} scrapes every series of the page with its value`, { skip: isWithout(peer) }, async (t) => {
    await startDefaultAgent(t);
    const prometheus = await startPrometheus(t, peer, 'otel-examples/prometheus/prometheus.yml');
    const lines = await findScrapedPage(prometheus);
    t.diagnostic(`${lines.length} series by ${peer} ${await prometheus.version()}`);
    assert.ok(lines.length > 200);
    assert.equal(new Set(lines.map(({ key }) => key)).size, lines.length, 'a series is on the page twice');
    await assertFaultless(prometheus);
  });
}

/** Every target is up, and no sample was refused. */
async function assertFaultless(prometheus: Prometheus): Promise<void> {
  // The targets are scraped at different moments.
  await until(async () => (await prometheus.query('up')).length === 2);
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
