import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../component/fakes.js';
import { runAtOnce } from '../linux/slices.js';
import { findNames } from '../linux/sysfs.js';
import type { Metric } from '../model/series.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { FileGauges, parseWhole } from './file-gauges.js';
import { Source } from './source.js';
import { endedOf, valuesOf, writeFiles } from './source.fixture.js';

const metric: Metric = { name: 'a', unit: '1', description: 'A gauge', kind: 'gauge', valueType: 'int' };

/** A gauge for each file of a folder, by name. */
function open(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = createFolder();
  writeFiles(folder, files);
  const list = () =>
    findNames(folder).map((name) => {
      const path = join(folder, name);
      return { metric, attributes: { name }, path, parse: (text: string) => parseWhole(path, text) };
    });
  const source = new Source(createFakeContext(), (own) => {
    const gauges = new FileGauges(own, { name: 'files', version: () => findNames(folder).join(), list });
    return function* (at) {
      return [yield* gauges.read(at)];
    };
  });
  t.after(() => source.close());
  return { folder, source };
}

test('FileGauges keeps series while files exist, ends those of removed files and starts those of new ones', (t) => {
  const { folder, source } = open(t, { a: '1\n', b: '2\n' });
  const [first] = runAtOnce(source.read()).tables;
  writeFiles(folder, { a: '-3\n' });
  const [second] = runAtOnce(source.read()).tables;
  assert.equal(first?.series, second?.series);
  assert.deepEqual(valuesOf(second ? [second] : []), { 'a a': -3, 'a b': 2 });
  rmSync(join(folder, 'a'));
  writeFiles(folder, { c: '4\n' });
  const { tables } = runAtOnce(source.read());
  assert.deepEqual(valuesOf(tables), { 'a b': 2, 'a c': 4 });
  assert.deepEqual(endedOf([...tables]), ['a a']);
  rmSync(join(folder, 'b'));
  rmSync(join(folder, 'c'));
  assert.deepEqual(endedOf([...runAtOnce(source.read()).tables]), ['a b', 'a c']);
});

test('FileGauges closes a removed file, and keeps the others', (t) => {
  const { folder, source } = open(t, { a: '1\n', b: '2\n' });
  const find = () => ['a', 'b'].map((name) => source.file(join(folder, name)));
  runAtOnce(source.read());
  const [a, b] = find();
  rmSync(join(folder, 'a'));
  assert.deepEqual(valuesOf(runAtOnce(source.read()).tables), { 'a b': 2 });
  const later = find();
  assert.notEqual(later[0], a);
  assert.equal(later[1], b);
});

test('FileGauges has a gap for a file that cannot be parsed and reports it, and fails when none can be parsed', (t) => {
  const { folder, source } = open(t, { a: '1\n', b: 'x\n' });
  const { tables, failed, error } = runAtOnce(source.read());
  assert.deepEqual([valuesOf(tables)['a a'], valuesOf(tables)['a b'], error], [1, NaN, undefined]);
  assert.match(failed.join(), /^Cannot parse .*b: expected a whole number, found "x"$/u);
  writeFiles(folder, { b: '2\n' });
  assert.equal(valuesOf(runAtOnce(source.read()).tables)['a b'], 2);
  writeFiles(folder, { b: '2 3\n' });
  assert.equal(valuesOf(runAtOnce(source.read()).tables)['a b'], NaN, 'the last value is not repeated');
  writeFiles(folder, { a: '' });
  assert.match(String(runAtOnce(source.read()).error), /a: expected text, found none/u);
});

test('FileGauges is unavailable while no file has existed', (t) => {
  const { folder, source } = open(t, {});
  assert.equal(
    String(runAtOnce(source.read()).error),
    'UnavailableError: Cannot read files: expected at least one, found none',
  );
  writeFiles(folder, { a: '1\n' });
  assert.deepEqual(valuesOf(runAtOnce(source.read()).tables), { 'a a': 1 });
});
