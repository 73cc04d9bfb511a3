import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { packageRoot } from '../version.js';
import { componentRoot, createFactoryFinder, listBuiltInTypes } from './find.js';
import { componentKinds, type ComponentKind } from './kinds.js';

const workplace = createFolder();
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

test('createFactoryFinder gives nothing, when no package has the type', async () => {
  assert.equal(await finder.find('receiver', 'nobody'), undefined);
});

test('createFactoryFinder reports what is wrong with a package, when it is there but cannot be used', async () => {
  install('joulemetry-processor-empty', entry, 'export const factory = {};');
  await assert.rejects(
    finder.find('processor', 'empty'),
    /expected an export "factory" with schema and create, found none/,
  );
  install('joulemetry-processor-broken', entry, 'throw new Error("boom");');
  await assert.rejects(finder.find('processor', 'broken'), /Cannot load processor "broken" from .*: boom/);
  install('joulemetry-processor-odd', { '.': { import: './main.js' } }, '');
  await assert.rejects(finder.find('processor', 'odd'), /Cannot resolve the package .*"default" condition/);
});

test('createFactoryFinder searches in the order of the folders, and in those above them', async () => {
  const elsewhere = createFolder();
  install(
    'joulemetry-receiver-near',
    entry,
    'export const factory = { schema: {}, metrics: [], probe() {}, create() {} };',
  );
  const below = join(workplace, 'etc', 'joulemetry');
  mkdirSync(below, { recursive: true });
  assert.ok(await createFactoryFinder(elsewhere, below).find('receiver', 'near'));
  assert.equal(await createFactoryFinder(elsewhere).find('receiver', 'near'), undefined);
});

test('describeSearch names the package and the folders from which it was searched', () => {
  const packageFolder = fileURLToPath(new URL('..', componentRoot));
  assert.equal(
    createFactoryFinder(workplace, workplace).describeSearch('receiver', 'my_meter'),
    `searched for the package "joulemetry-receiver-my-meter" from ${workplace}, ${packageFolder}`,
  );
});

/** By kind and name in the Collector. */
type Names = Readonly<Partial<Record<ComponentKind, Readonly<Record<string, string>>>>>;

const { same, other } = JSON.parse(
  readFileSync(new URL('config/collector-names.json', packageRoot), 'utf8'),
) as { readonly same: Names; readonly other: Names };

test("findReplacement reports what to use for the Collector's components", () => {
  for (const kind of componentKinds) {
    const builtIn = listBuiltInTypes(kind);
    for (const type of Object.keys(other[kind] ?? {})) {
      assert.ok(!builtIn.includes(type), `${type} is built in`);
      const remedy = finder.findReplacement(kind, type) ?? '';
      assert.match(remedy, /^(?:use (?:the \w+ )?"|remove it: )/u);
      const [, elsewhere, named] = /^use (?:the (\w+) )?"(\w+)"/u.exec(remedy) ?? [];
      const known = elsewhere === undefined ? builtIn : componentKinds.flatMap(listBuiltInTypes);
      if (named !== undefined) assert.ok(known.includes(named), named);
    }
  }
  const remedy = finder.findReplacement('processor', 'resource_detection');
  assert.equal(remedy, finder.findReplacement('processor', 'resourcedetection'));
  assert.equal(finder.findReplacement('exporter', 'constructor'), undefined);
});

test('createFactoryFinder finds components by the names that they have in the Collector', async () => {
  for (const kind of componentKinds) {
    for (const [theirs, ours] of Object.entries(same[kind] ?? {})) {
      assert.ok(!listBuiltInTypes(kind).includes(theirs), `${theirs} is built in`);
      const found = await finder.find(kind, theirs);
      assert.ok(found, theirs);
      assert.equal(found, await finder.find(kind, ours));
    }
  }
  const found = await finder.find('processor', 'group_by_attrs');
  assert.equal(found, await finder.find('processor', 'group_by_attributes'));
});

test('createFactoryFinder refuses packages whose files are FIFOs, and does not wait for them', async () => {
  const folder = join(workplace, 'node_modules', 'joulemetry-receiver-fifo');
  mkdirSync(folder, { recursive: true });
  execFileSync('mkfifo', [join(folder, 'package.json')]);
  await assert.rejects(finder.find('receiver', 'fifo'), /expected a regular file, found a FIFO$/u);
  install('joulemetry-receiver-piped', entry, '');
  const main = join(workplace, 'node_modules', 'joulemetry-receiver-piped', 'main.js');
  rmSync(main);
  execFileSync('mkfifo', [main]);
  await assert.rejects(finder.find('receiver', 'piped'), /expected a regular file, found a FIFO$/u);
});

test('createFactoryFinder reads no package.json around the packages', async () => {
  execFileSync('mkfifo', [join(workplace, 'package.json')]);
  assert.equal(await finder.find('receiver', 'absent'), undefined);
  assert.ok(await finder.find('receiver', 'near'));
});
