import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

interface Point {
  readonly attributes?: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
  readonly asDouble?: number;
}

interface Line {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly Point[] };
      }[];
    }[];
  }[];
}

/** First and last value in nanojoules of each series of a metric, by its attributes, in the order of the file. */
function readTotals(path: string, name: string): ReadonlyMap<string, readonly [number, number]> {
  const totals = new Map<string, readonly [number, number]>();
  // The last line may be incomplete.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  // Format of the file exporter.
  const metrics = lines.flatMap((line) =>
    (JSON.parse(line) as Line).resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((scope) => scope.metrics),
    ),
  );
  for (const { attributes = [], asDouble } of metrics.flatMap((metric) =>
    metric.name === name ? (metric.sum?.dataPoints ?? []) : [],
  )) {
    if (asDouble === undefined) continue;
    const key = attributes.map(({ key: one, value }) => `${one}=${value.stringValue}`).join(' ');
    const nanojoules = Math.round(asDouble * 1e9);
    totals.set(key, [totals.get(key)?.[0] ?? nanojoules, nanojoules]);
  }
  return totals;
}

/** Keeps every CPU busy with two processes until the test ends. */
function burnEveryCpu(t: TestContext): void {
  for (let i = 0; i < 2 * availableParallelism(); i++) {
    const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
  }
}

const meters = {
  'a sampled meter': 'simulator: {sampling_interval: 10ms, collection_interval: 200ms, flush_interval: 1s}',
  'a scraped meter': 'process: {collection_interval: 200ms}, estimate: {collection_interval: 100ms}',
  'a meter that is read before the processes':
    'estimate: {collection_interval: 300ms}, process: {collection_interval: 200ms}',
};

for (const [name, receivers] of Object.entries(meters)) {
  test(`the agent accounts for every joule until it exits, with ${name} on a busy machine`, async (t) => {
    burnEveryCpu(t);
    const path = join(createFolder(), 'totals.json');
    const ids = [...receivers.matchAll(/(\w+): \{/gu)].map(([, id]) => id).join(', ');
    const agent = startAgent([
      '-c',
      writeConfig(`
receivers: {${receivers}}
processors: {attribution: {}}
exporters: {file: {path: ${path}, flush_interval: 50ms}}
service:
  pipelines: {metrics: {receivers: [${ids}], processors: [attribution], exporters: [file]}}
  telemetry: {metrics: {level: none}}
`),
    ]);
    await agent.waitFor(/ready/u);
    await until(() => [...readTotals(path, 'ledger.energy').values()].some(([first, last]) => last > first));
    const { code, stderr } = await agent.stop();
    assert.equal(code, 0, stderr);
    // The estimate covers the whole host.
    const domains = [
      ...readTotals(path, 'hw.energy').values(),
      ...readTotals(path, 'hw.host.energy').values(),
    ];
    const measured = domains.reduce((sum, [first, last]) => sum + last - first, 0);
    const booked = [...readTotals(path, 'ledger.energy').values()].reduce((sum, [, last]) => sum + last, 0);
    assert.ok(measured > 0);
    assert.equal(booked, measured);
  });
}
