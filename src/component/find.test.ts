import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFactoryFinder, listBuiltInTypes } from './find.js';

const workplace = mkdtempSync(join(tmpdir(), 'joulemetry-'));
const finder = createFactoryFinder(workplace);

function install(name: string, exports: object, source: string): void {
  const folder = join(workplace, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports }));
  writeFileSync(join(folder, 'main.js'), source);
}

const entry = { '.': { default: './main.js' } };

test('createFactoryFinder finds a built-in component by its folder', async () => {
  assert.ok(listBuiltInTypes('receiver').includes('host'));
  const factory = await finder.find('receiver', 'host');
  assert.ok(factory && 'probe' in factory);
});

test('createFactoryFinder finds an installed package by its name, dashes for underscores', async () => {
  install('joulemetry-exporter-my-file', entry, 'export const factory = { schema: {}, create() {} };');
  assert.deepEqual((await finder.find('exporter', 'my_file'))?.schema, {});
});

test('createFactoryFinder gives nothing, when nobody has the type', async () => {
  assert.equal(await finder.find('receiver', 'nobody'), undefined);
});

test('createFactoryFinder says what is wrong with a package, when it is there but cannot be used', async () => {
  install('joulemetry-processor-empty', entry, 'export const factory = {};');
  await assert.rejects(finder.find('processor', 'empty'), /exports no "factory" with schema and create/);
  install('joulemetry-processor-broken', entry, 'throw new Error("boom");');
  await assert.rejects(finder.find('processor', 'broken'), /Cannot load processor "broken" from .*: boom/);
  install('joulemetry-processor-odd', { '.': { import: './main.js' } }, '');
  await assert.rejects(finder.find('processor', 'odd'), /Cannot resolve the package .*"default" condition/);
});
