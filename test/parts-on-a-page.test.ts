import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { factory as prometheus } from '../exporters/prometheus/factory.js';
import { factory as attribution } from '../processors/attribution/factory.js';
import { createFakeContext, createLogCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { MachineSpec } from '../src/simulation/machine-spec.js';
import { simulateTables } from '../src/simulation/simulated-tables.js';
import { assertWhole, readPageSamples, sumDomains, sumViews, type PageSample } from './page-sums.js';

const views = ['process', 'program', 'cgroup', 'unit', 'container', 'pod', 'namespace', 'job', 'user'];
/** The first words of the metrics of these views. */
const viewMetrics = [
  'process',
  'program',
  'linux_cgroup',
  'systemd_unit',
  'container',
  'k8s_pod',
  'k8s_namespace',
  'job',
  'user',
];

/** The page after each table of a simulated machine whose energy is attributed. */
async function readPages(
  t: TestContext,
  spec: Partial<MachineSpec>,
): Promise<readonly (readonly PageSample[])[]> {
  const time = { ms: 0n };
  const clock = { wallNs: () => 0n, monotonicNs: () => time.ms * 1_000_000n, countBreaks: () => 0 };
  const log = createLogCollector();
  const settings = parseSettings(prometheus.schema, { endpoint: 'localhost:0', ended_for: '1h' });
  const exporter = prometheus.create(settings, createFakeContext({ log, clock }));
  t.after(() => exporter.shutdown());
  await exporter.start();
  const [, origin = ''] = /(http:\/\/[^/]+)/.exec(log.lines[0] ?? '') ?? [];
  const limits = { process_limit: 5, group_limit: 5 };
  const floor = [{ hw_type: 'cpu', power: 5 }];
  const config = parseSettings(attribution.schema, { views, floor, ...limits });
  const processor = attribution.create(config, createFakeContext(), exporter);
  const pages: (readonly PageSample[])[] = [];
  for (const table of simulateTables({ spec, seconds: 10 }).tables) {
    processor.consume(table);
    time.ms += 1000n;
    pages.push(readPageSamples(await (await fetch(`${origin}/metrics`)).text()));
  }
  await processor.shutdown();
  return pages;
}

const hasLedger = (page: readonly PageSample[]) => sumDomains(page).length === 5;

test('on every page, the parts of the ledger are the energy of the hardware, and every view has the attributed part', async (t) => {
  const faults = [{ kind: 'failed', atUs: 3.15e6, forUs: 1.3e6 }] as const;
  const pages = (await readPages(t, { faults })).filter(hasLedger);
  assert.ok(pages.length > 15, `${pages.length} pages`);
  // What the meters had counted before the first window was on an earlier page.
  const [first, ...others] = pages;
  assertWhole(sumViews(first ?? [], viewMetrics));
  for (const page of others) assertWhole([...sumDomains(page), ...sumViews(page, viewMetrics)]);
  const groups = others.at(-1)?.filter(({ labels }) => labels['__name__'] === 'process_energy_joules_total');
  assert.ok((groups?.length ?? 0) > 10, 'the last page has processes that have ended');
});

/** The sets of differences between meters and their ledgers on some pages, one for each domain. */
function listDifferences(pages: readonly (readonly PageSample[])[]): readonly (readonly bigint[])[] {
  const sets = new Map<string, Set<bigint>>();
  for (const page of pages) {
    for (const { what, wholeNj, partsNj } of sumDomains(page)) {
      const known = sets.get(what) ?? new Set();
      sets.set(what, known.add(wholeNj - partsNj));
    }
  }
  return Array.from(sets.values(), (set) => Array.from(set));
}

test('on every page, a meter that is slower than its readings is ahead of its ledger by its first refresh', async (t) => {
  const pages = (await readPages(t, { faults: [], refreshUs: 1_500_000 })).filter(hasLedger).slice(1);
  assert.ok(pages.length > 10, `${pages.length} pages`);
  const differences = listDifferences(pages);
  assert.equal(differences.length, 5);
  for (const [difference = 0n, ...others] of differences) {
    assert.deepEqual(others, []);
    assert.ok(difference > 0n);
  }
});

test('after a reset, the parts of the ledger grow by as much as the new counters', async (t) => {
  const faults = [{ kind: 'reset', atUs: 2.45e6, forUs: 0 }] as const;
  const pages = (await readPages(t, { faults })).filter(hasLedger).slice(-10);
  const differences = listDifferences(pages);
  assert.equal(differences.length, 5);
  for (const [difference = 0n, ...others] of differences) {
    assert.deepEqual(others, []);
    // The ledger keeps what the old counters had counted.
    assert.ok(difference < 0n);
  }
});
