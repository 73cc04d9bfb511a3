import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startDefaultAgent } from './default-agent.js';
import { isWithout, type PeerName } from './peers.js';
import { startPrometheus } from './prometheus.js';

const config = 'otel-examples/prometheus/prometheus.yml';
/** The same as in that file. */
const scrapeMs = 5000;

/** The default views, whose groups and remainder add up to the attributed energy. */
const views = ['process', 'program', 'systemd_unit', 'container', 'k8s_pod'];

/** Compiles this project into a new folder. */
async function build(): Promise<void> {
  const compiler = 'node_modules/typescript/bin/tsc';
  const child = spawn(process.execPath, [compiler, '--outDir', createFolder()], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
}

/** Short processes, as in builds of projects in other languages. */
async function runShortCommands(): Promise<void> {
  const loop = 'for i in $(seq 200); do ls -lR /usr/include >/dev/null; done';
  await once(spawn('sh', ['-c', loop], { stdio: 'ignore' }), 'exit');
}

interface Totals {
  /**
   * Ratio of the joules of each view to those that the ledger attributed, and of the ledger to those of the
   * hardware.
   */
  readonly ratios: readonly (readonly [name: string, ratio: number])[];
  /** Number of series on the agent's page. */
  readonly series: number;
}

/** Energy of a build according to Prometheus: `sum(increase())` over its duration. */
async function measureBuild(t: TestContext, peer: PeerName, args: readonly string[] = []): Promise<Totals> {
  await startDefaultAgent(t, { hasStarts: args.length > 0 });
  const prometheus = await startPrometheus(t, peer, config, args);
  const readSum = async (expression: string) => (await prometheus.query(expression))[0]?.value ?? NaN;
  // Before the first window of its ledger the page shows what the meters have counted.
  await until(async () => (await readSum('sum(ledger_energy_joules_total)')) > 0);
  await sleep(3 * scrapeMs);
  const startedMs = Date.now();
  await build();
  await runShortCommands();
  await sleep(3 * scrapeMs);
  // From one scrape to another, so that increase() does not extrapolate and every query covers the same
  // scrapes.
  const scrapes = await prometheus.query('hw_energy_joules_total{hw_type="cpu"}[10m]');
  const times = scrapes.map(({ timeMs }) => timeMs).filter((timeMs) => timeMs >= startedMs);
  const [fromMs, toMs] = [Math.min(...times), Math.max(...times)];
  const range = `${toMs - fromMs + 2}ms`;
  const at = (toMs + 1) / 1000;
  const sumOf = (name: string) => readSum(`sum(increase(${name}[${range}] @ ${at}))`);
  const [measured, ledger] = [
    await sumOf('hw_energy_joules_total'),
    await sumOf('ledger_energy_joules_total'),
  ];
  const attributed = await sumOf('ledger_energy_joules_total{ledger_part="attributed"}');
  const ratios: [name: string, ratio: number][] = [['ledger', ledger / measured]];
  for (const view of views) ratios.push([view, (await sumOf(`${view}_energy_joules_total`)) / attributed]);
  const series = await readSum(`count({job="joulemetry"} @ ${at})`);
  t.diagnostic(
    `${range}, ${series} series, measured ${measured.toFixed(1)} J, attributed ${attributed.toFixed(1)} J`,
  );
  t.diagnostic(ratios.map(([name, ratio]) => `${name} ${ratio.toFixed(4)}`).join(', '));
  return { ratios, series };
}

function assertWhole({ ratios, series }: Totals, names: readonly string[]): void {
  for (const [name, ratio] of ratios)
    if (names.includes(name)) assert.ok(Math.abs(ratio - 1) <= 0.01, `${name}: ${ratio}`);
  assert.ok(series <= 2000, `expected at most 2,000 series, found ${series}`);
}

test(
  'the increase of every view is that of the hardware during a build, where Prometheus reads start timestamps',
  { skip: isWithout('prometheus-otlp') },
  async (t) => {
    const feature = '--enable-feature=created-timestamp-zero-ingestion';
    assertWhole(await measureBuild(t, 'prometheus-otlp', [feature]), ['ledger', ...views]);
  },
);

test(
  'the increase of units, containers and pods is that of the hardware during a build, in any Prometheus',
  { skip: isWithout('prometheus') },
  async (t) => {
    // A process or program that is new on a page has already used energy, which increase() does not count.
    const lasting = ['ledger', 'systemd_unit', 'container', 'k8s_pod'];
    assertWhole(await measureBuild(t, 'prometheus'), lasting);
  },
);
