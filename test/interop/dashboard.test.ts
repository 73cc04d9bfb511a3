import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { startDefaultAgent } from './default-agent.js';
import { isWithout, peerPath } from './peers.js';
import { startPrometheus, type Prometheus } from './prometheus.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const examples = 'otel-examples/prometheus';
const ruleFiles = ['recording.rules.yml', 'alerts.rules.yml'];

function readDashboard(): Dashboard {
  return JSON.parse(readFileSync('otel-examples/grafana/joulemetry.json', 'utf8')) as Dashboard;
}

/** The query that Grafana would send for a time range of a minute. */
function fillIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '30s')
    .replaceAll('$__range', '1m')
    .replaceAll('$instance', '.*');
}

test(
  'promtool accepts the example and its rules, whose own tests pass',
  { skip: isWithout('promtool') },
  () => {
    const promtool = peerPath('promtool');
    execFileSync(promtool, ['check', 'config', `${examples}/prometheus.yml`]);
    execFileSync(promtool, ['check', 'rules', ...ruleFiles.map((file) => `${examples}/${file}`)]);
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', 'rules.test.yml'], {
      cwd: examples,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  },
);

test('the dashboard has the shape that Grafana expects', () => {
  const { uid, title, schemaVersion, panels, templating } = readDashboard();
  assert.deepEqual([uid, title, schemaVersion], ['joulemetry', 'Joulemetry', 39]);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const variables = new Set(['__rate_interval', '__range', ...templating.list.map(({ name }) => name)]);
  for (const { type, title: name, gridPos, datasource, targets = [] } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24 && gridPos.h > 0, name);
    if (type === 'row') continue;
    assert.equal(datasource?.uid, '${datasource}', name);
    assert.ok(targets.length > 0, name);
    for (const { expr } of targets) {
      for (const [, variable = ''] of expr.matchAll(/\$(\w+)/gu)) assert.ok(variables.has(variable), expr);
    }
  }
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  assert.equal(new Set(cells).size, cells.length, 'panels overlap');
});

test(
  'every query of the dashboard and every rule has data in a Prometheus that scrapes the agent',
  { skip: isWithout('prometheus') },
  async (t) => {
    // A low limit, so that some processes are in the remainder.
    await startDefaultAgent(t, { processLimit: 3 });
    const prometheus = await startPrometheus(t, 'prometheus', `${examples}/prometheus.yml`);
    const expressions = readDashboard().panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr }) => fillIn(expr)),
    );
    t.diagnostic(`${expressions.length} queries`);
    for (const expression of expressions) await untilData(prometheus, expression);
    const rules = await readRules(prometheus);
    assert.equal(rules.length, 18);
    for (const { name } of rules.filter(({ type }) => type === 'recording'))
      await untilData(prometheus, name);
    await untilData(prometheus, 'instance:process_energy_other:ratio_rate5m > 0');
    await until(async () => (await readRules(prometheus)).every(({ health }) => health === 'ok'));
    const shares = await prometheus.query(
      'sum(instance_ledger_part:ledger_energy_joules:rate1m) / sum(instance:hw_energy_joules:rate1m)',
    );
    t.diagnostic(`the ledger's watts are ${shares[0]?.value} of those measured`);
    const firing = await prometheus.query('ALERTS{alertstate="firing"}');
    assert.deepEqual(
      firing.map(({ labels }) => labels['alertname']),
      [],
    );
  },
);

async function untilData(prometheus: Prometheus, expression: string): Promise<void> {
  await until(async () => {
    const samples = await prometheus.query(expression);
    if (samples.some(({ value }) => Number.isFinite(value))) return true;
    await sleep(500);
    return false;
  }).catch((cause: unknown) => {
    throw new Error(`Cannot get data for ${expression}`, { cause });
  });
}

interface Rule {
  readonly name: string;
  readonly type: string;
  readonly health: string;
}

async function readRules(prometheus: Prometheus): Promise<readonly Rule[]> {
  const { groups } = (await prometheus.get('rules')) as { groups: readonly { rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}
