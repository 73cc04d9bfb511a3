import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory } from '../../exporters/elasticsearch/factory.js';
import { startExporter } from '../../src/export/exporter.fixture.js';
import { simulateTables } from '../../src/simulation/simulated-tables.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { expectValues } from './expected-values.js';
import { isWithout, peerPath } from './peers.js';
import { startProgram, type Scope } from './program.js';

const skip = isWithout('opensearch');
const root = fileURLToPath(new URL('../../../', import.meta.url));
const endpoint = 'http://localhost:19200';
const stream = `${endpoint}/metrics-joulemetry-default`;

async function startOpenSearch(t: Scope): Promise<void> {
  const home = createFolder();
  mkdirSync(join(home, 'config'));
  const classPath = join(peerPath('opensearch'), '*');
  const source = join(root, 'test/interop/peers/RunOpenSearch.java');
  const command = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', classPath, source, home, '19200'];
  await startProgram(t, ['java', ...command]).waitFor(/^started$/mu);
}

async function ask(path: string, body?: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${stream}/${path}`, { method: 'POST', headers, ...(body && { body }) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

interface Answer {
  readonly aggregations: Readonly<Record<string, { readonly buckets: readonly Bucket[] }>>;
}

interface Bucket {
  readonly key: string | number;
  readonly doc_count: number;
  readonly values?: { readonly value: number };
  readonly energy?: { readonly min: number; readonly max: number };
}

/** The queries of the README, by name. */
function readQueries(): ReadonlyMap<string, string> {
  const readme = readFileSync(join(root, 'exporters/elasticsearch/README.md'), 'utf8');
  const found = readme.matchAll(/^```json query="(\w+)"\n(.*?)^```/gmsu);
  return new Map([...found].map(([, name = '', text = '']) => [name, text]));
}

test(
  'OpenSearch has the points of a simulated machine once, even when they were sent twice',
  { skip },
  async (t) => {
    await startOpenSearch(t);
    const { tables } = simulateTables();
    const expected = expectValues(tables);
    const points = [...expected.values()].reduce((sum, { count }) => sum + count, 0);
    for (const _ of [1, 2]) {
      const settings = { endpoint, create_index_template: true };
      const { exporter, log, read } = await startExporter(t, factory, settings);
      for (const table of tables) exporter.consume(table);
      await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === points);
      assert.deepEqual(log.lines, []);
    }
    await ask('_refresh');
    const byMetric = {
      size: 0,
      aggs: {
        metric: { terms: { field: 'metric', size: 1000 }, aggs: { values: { sum: { field: 'value' } } } },
      },
    };
    // As described in the documentation of the search API.
    const { aggregations } = (await ask('_search', JSON.stringify(byMetric))) as Answer;
    const buckets = aggregations['metric']?.buckets ?? [];
    assert.deepEqual(buckets.map(({ key }) => String(key)).toSorted(), [...expected.keys()].toSorted());
    for (const { key, doc_count: count, values } of buckets) {
      const wanted = expected.get(String(key));
      assert.equal(count, wanted?.count, String(key));
      assert.ok(Math.abs((values?.value ?? NaN) / (wanted?.sum ?? NaN) - 1) < 1e-12 || wanted?.sum === 0);
    }
    t.diagnostic(`${points} points of ${buckets.length} metrics`);

    for (const [name, query] of readQueries()) {
      const text = name === 'domains' ? query.replace('now-1h', '2023-01-01') : query;
      const answer = (await ask('_search', text)) as Answer;
      const found = Object.values(answer.aggregations).flatMap((aggregation) => aggregation.buckets);
      if (name !== 'processes') assert.ok(found.length > 0, name);
    }
    assert.equal(readQueries().size, 3);
  },
);
