import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { listChecks } from '../src/contract/contract.js';
import { loadComponentFolders, repositoryRoot, type ComponentFolder } from './component-folders.js';
import { renderConfigSchema } from './config-schema.js';

const folders = await loadComponentFolders();

function listTestFiles({ kind, type }: ComponentFolder): readonly string[] {
  const folder = new URL(`../${kind}s/${type}/`, import.meta.url);
  return readdirSync(folder).filter((file) => file.endsWith('.test.js'));
}

for (const folder of folders) {
  for (const { name, run } of listChecks({ ...folder, testFiles: listTestFiles(folder) })) {
    test(`${folder.type} ${folder.kind} ${name}`, async (t) => {
      const reason = await run();
      if (reason !== undefined) t.skip(reason);
    });
  }
}

test('README.md links to every component', () => {
  const readme = readFileSync(new URL('README.md', repositoryRoot), 'utf8');
  const missing = folders.filter(({ kind, type }) => !readme.includes(`[${type}](${kind}s/${type})`));
  assert.deepEqual(
    missing.map(({ kind, type }) => `${type} ${kind}`),
    [],
  );
});

test('config/schema.json refers to definitions that it has, and to each of them', () => {
  const text = renderConfigSchema(folders);
  const { definitions }: { readonly definitions: object } = JSON.parse(text);
  const references = [...text.matchAll(/"\$ref": "#\/definitions\/(\w+)"/gu)].map(([, name]) => name);
  assert.deepEqual([...new Set(references)].toSorted(), Object.keys(definitions).toSorted());
});

test('config/schema.json has what the components have', () => {
  const written: unknown = JSON.parse(readFileSync(new URL('config/schema.json', repositoryRoot), 'utf8'));
  assert.deepEqual(written, JSON.parse(renderConfigSchema(folders)), 'run: npm run docs');
});
