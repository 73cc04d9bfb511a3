import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseTable } from '../src/contract/readme.js';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';
import { fillIncludes, listBrokenLinks, readPages, renderMetricsTable } from './doc-pages.js';

const remedy = 'run: npm run docs';

test('every link of a page leads to a file', () => {
  const broken = readPages().flatMap((page) =>
    listBrokenLinks(page).map((target) => `${page.path}: ${target}`),
  );
  assert.deepEqual(broken, []);
  assert.deepEqual(
    listBrokenLinks({ path: 'docs/x.md', text: '[a](../README.md) [b](no.md) `[c](no.md)`' }),
    ['no.md'],
  );
});

test('every file included in a page matches the repository', () => {
  for (const { path, text } of readPages()) assert.equal(text, fillIncludes(text), `${path}: ${remedy}`);
  const page = '<!-- include docs/examples/processor-scale/factory.ts -->\n\n```ts\nold\n```\n';
  assert.match(fillIncludes(page), /^<!-- include \S+ -->\n\n```ts\nimport [^]*\};\n```\n$/u);
});

test('README.md says of each receiver that was not tested on real hardware that it was not', () => {
  const pages = readPages();
  const rows = parseTable(pages.find(({ path }) => path === 'README.md')?.text ?? '');
  const untested = pages.filter(({ path, text }) => {
    const squeezed = text.replaceAll(/\s+/gu, ' ');
    return (
      path.startsWith('receivers/') && /\bnot (?:yet )?(?:seen|tested) on real hardware/iu.test(squeezed)
    );
  });
  assert.ok(untested.length > 10, `${untested.length} pages`);
  const silent = untested.filter(({ path }) => {
    const row = rows.find(([link = '']) => link.includes(`(${path.replace('/README.md', '')})`));
    return row?.[1]?.includes('not yet seen on real hardware') !== true;
  });
  assert.deepEqual(
    silent.map(({ path }) => path),
    [],
  );
});

test('docs/metrics.md has every metric of the components', async () => {
  const written = readFileSync(new URL('docs/metrics.md', repositoryRoot), 'utf8');
  const expected = renderMetricsTable(await loadComponentFolders());
  assert.deepEqual(parseTable(written), parseTable(expected), remedy);
});
