import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { listChecks } from '../src/contract/contract.js';
import { loadComponentFolders, repositoryRoot, type ComponentFolder } from './component-folders.js';
import { describeComponents, renderConfigSchema } from './config-schema.js';

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

test('config/schema.json refers only to definitions that it has, and to each of them', () => {
  const text = renderConfigSchema(folders);
  const { definitions }: { readonly definitions: object } = JSON.parse(text);
  const references = [...text.matchAll(/"\$ref": "#\/definitions\/(\w+)"/gu)].map(([, name]) => name);
  assert.deepEqual([...new Set(references)].toSorted(), Object.keys(definitions).toSorted());
});

/** A schema in which each reference to a setting is replaced by its definition. */
function expand(value: unknown, definitions: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(value)) return value.map((part) => expand(part, definitions));
  if (typeof value !== 'object' || value === null) return value;
  const [, name] = /^#\/definitions\/(\w+)$/u.exec('$ref' in value ? String(value.$ref) : '') ?? [];
  if (name !== undefined && name in definitions) return expand(definitions[name], definitions);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, expand(part, definitions)]));
}

test('config/schema.json defines a setting of several components once, without a change of meaning', () => {
  const { definitions, ...schema } = JSON.parse(renderConfigSchema(folders));
  const { definitions: formats, ...separate } = describeComponents(folders);
  const shared = Object.entries(definitions).filter(([name]) => !(name in (formats as object)));
  assert.ok(shared.some(([name]) => name === 'tls'));
  assert.deepEqual(expand(schema, Object.fromEntries(shared)), JSON.parse(JSON.stringify(separate)));
});

test('config/schema.json has the settings of all components', () => {
  const written: unknown = JSON.parse(readFileSync(new URL('config/schema.json', repositoryRoot), 'utf8'));
  assert.deepEqual(written, JSON.parse(renderConfigSchema(folders)), 'run: node build.mjs --force');
});
