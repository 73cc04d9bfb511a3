import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseTable } from '../src/contract/readme.js';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';

/** A metric of ours that corresponds to one of ALUMET's. */
interface Row {
  readonly metric: string;
  readonly unit: string;
  /** `receivers/rapl`. */
  readonly component: string;
  /** `receivers/rapl/receiver.test.ts`. */
  readonly test: string;
}

const page = readFileSync(new URL('docs/alumet-parity.md', repositoryRoot), 'utf8');

test('every metric that corresponds to one of ALUMET is published with its unit by the component in its row', async () => {
  const rows = listRows(page);
  assert.ok(rows.length > 40, `${rows.length} rows`);
  const published = new Set(
    (await loadComponentFolders()).flatMap(({ kind, type, factory }) =>
      ('metrics' in factory ? (factory.metrics ?? []) : []).map(
        ({ name, unit }) => `${name} ${unit} ${kind}s/${type}`,
      ),
    ),
  );
  const missing = rows.filter(
    ({ metric, unit, component }) => !published.has(`${metric} ${unit} ${component}`),
  );
  assert.deepEqual(missing, []);
});

test('every metric that corresponds to one of ALUMET has a test that mentions it', () => {
  const silent = listRows(page).filter(({ metric, test: path }) => {
    const text = readFileSync(fileURLToPath(new URL(path, repositoryRoot)), 'utf8');
    return !text.includes(metric) && !text.includes(metric.slice(metric.indexOf('.') + 1));
  });
  assert.deepEqual(silent, []);
});

function listRows(text: string): readonly Row[] {
  return text
    .split(/^## /mu)
    .flatMap((section) => parseTable(section))
    .flatMap((cells) => {
      const [, , ours = '', unit = '', component = '', testLink = ''] = cells;
      const metric = /^`(?<name>[^`]+)`/u.exec(ours)?.groups?.['name'];
      if (metric === undefined) return [];
      return { metric, unit: unit.replaceAll('`', ''), component: linkOf(component), test: linkOf(testLink) };
    });
}

/** The target of a link, relative to the repository. */
function linkOf(cell: string): string {
  return /\]\(\.\.\/(?<target>[^)]+)\)/u.exec(cell)?.groups?.['target'] ?? '';
}
