import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findEntry, plainOf, type ConfigNode } from './node.js';
import { loadConfig, maxConfigBytes } from './sources.js';

const folder = createFolder();

const context = { env: { PORT: '0123', N: '7' }, onUnset: () => {} };

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('loadConfig merges maps key by key and replaces the rest, when there are several files', () => {
  const files = [
    write('a.yaml', 'receivers: {rapl: {zones: [a, b], start: auto}}\nexporters: {debug: }\n'),
    write('b.yaml', 'receivers: {rapl: {zones: [c]}, host: }\n'),
  ];
  assert.deepEqual(plainOf(loadConfig({ files, settings: [], context })), {
    receivers: { rapl: { zones: ['c'], start: 'auto' }, host: null },
    exporters: { debug: null },
  });
});

test('loadConfig lays --set over every file', () => {
  const files = [write('c.yaml', 'receivers: {rapl: {start: auto}}\n')];
  const settings = ['receivers.rapl.start=required', 'a::b.c=[1, 2]', 'x.y='];
  assert.deepEqual(plainOf(loadConfig({ files, settings, context })), {
    receivers: { rapl: { start: 'required' } },
    a: { 'b.c': [1, 2] },
    x: { y: null },
  });
});

test('loadConfig reads what a whole reference gives as YAML and keeps its text', () => {
  const files = [write('d.yaml', 'a: ${env:N}\nb: "x${env:N}"\nc: ${env:PORT}\n')];
  const root = loadConfig({ files, settings: [], context });
  assert.ok(root.kind === 'map');
  assert.deepEqual(plainOf(root), { a: 7, b: 'x7', c: 123 });
  const { node } = root.entries.get('c') ?? {};
  assert.equal(node?.replaced?.text, '0123');
});

test('loadConfig names file, line and column of everything that is wrong', () => {
  const broken = write('e.yaml', 'a: 1\nb: ${env:0}\nc: ${vault:x}\n');
  const missing = join(folder, 'missing.yaml');
  const listed = write('f.yaml', '- a\n');
  const load = () => loadConfig({ files: [broken, missing, listed], settings: ['x'], context });
  assert.throws(load, (error: Error) => {
    const lines = error.message.split('\n');
    assert.match(lines[0] ?? '', /e\.yaml:2:4: Cannot substitute "\$\{env:0\}"/);
    assert.match(
      lines[1] ?? '',
      /e\.yaml:3:4: Cannot substitute "\$\{vault:x\}": expected the scheme env or file/,
    );
    assert.match(lines[2] ?? '', /Cannot read the configuration ".*missing\.yaml": ENOENT/);
    assert.match(lines[3] ?? '', /f\.yaml:1:1: expected a map at the top, found a list/);
    assert.equal(lines[4], '--set x: expected a setting such as receivers.rapl.start=auto, found none');
    return true;
  });
});

test('loadConfig reports where YAML is broken', () => {
  const file = write('g.yaml', 'receivers:\n  rapl: {zones: [a\n');
  assert.throws(
    () => loadConfig({ files: [file], settings: [], context }),
    /g\.yaml:\d+:\d+: Cannot parse YAML/,
  );
});

test('loadConfig names the place and the first line of a key that is written twice', () => {
  const files = [write('twice.yaml', 'receivers:\n  host: {cpu: }\n  rapl:\n  host:\n')];
  assert.throws(() => loadConfig({ files, settings: [], context }), {
    message: `${files[0]}:4:3: Cannot take "host": expected it once, found it at line 2, too`,
  });
});

test('loadConfig wants one document, when a file has several', () => {
  const files = [write('several.yaml', 'a: 1\n---\nb: 2\n')];
  assert.throws(() => loadConfig({ files, settings: [], context }), {
    message: `${files[0]}:2:1: Cannot parse YAML: expected one document, found "---" and a second one`,
  });
});

test('loadConfig refuses a file that is not regular or too large, and does not wait for it', () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const large = write('large.yaml', ' '.repeat(maxConfigBytes + 1));
  const problems = {
    [fifo]: 'expected a regular file, found a FIFO',
    [large]: 'expected at most 1048576 bytes, found more',
    '/dev/zero': 'expected a regular file, found a character device',
    [folder]: 'expected a regular file, found a folder',
  };
  for (const [file, problem] of Object.entries(problems)) {
    assert.throws(() => loadConfig({ files: [file], settings: [], context }), {
      message: `Cannot read the configuration "${file}": ${problem}`,
    });
  }
});

test('loadConfig shows no value of --set in an error', () => {
  assert.throws(() => loadConfig({ files: [], settings: ['a.token=*s3cret', 'b=${s3cret'], context }), {
    message: [
      '--set a.token:1:1: Cannot resolve an alias: expected its anchor at an earlier value of this file, found none; quote a text that begins with "*"',
      '--set b:1:1: Cannot substitute a reference: expected "}" after "${", found none; write "$$" for a dollar sign',
    ].join('\n'),
  });
});

test('loadConfig lets the last of several files and settings count, each with its own place', () => {
  const files = [
    write('under.yaml', 'a: {b: 1, c: [1, 2], d: {e: 1}}\n'),
    `file:${write('over.yaml', '\na: {c: [3], d: 2}\nf: ${env:N}\n')}`,
  ];
  const settings = ['a.d.e=5', 'a.b={x: 1}', 'a.b.y=${env:N}', 'f=', 'a.c=[]', 'a.c=["${env:N}"]'];
  const root = loadConfig({ files, settings, context });
  assert.deepEqual(plainOf(root), { a: { b: { x: 1, y: 7 }, c: ['7'], d: { e: 5 } }, f: null });
  const [under, over] = files;
  const merged = loadConfig({ files, settings: ['g=1'], context });
  const placeOf = (...path: readonly string[]) =>
    path.reduce<ConfigNode | undefined>((node, key) => findEntry(node, key)?.node, merged)?.origin;
  assert.deepEqual(placeOf('a', 'b'), { source: under, line: 1, column: 8 });
  assert.deepEqual(placeOf('a', 'd'), { source: over?.replace('file:', ''), line: 2, column: 16 });
  assert.deepEqual(placeOf('g'), { source: '--set g' });
});

test('loadConfig takes an empty file, or one of comments only, for a map without settings', () => {
  for (const [name, text] of Object.entries({
    empty: '',
    comments: '# a\n',
    null: 'null\n',
    mark: '\uFEFF',
  })) {
    const files = [write('base.yaml', 'a: 1\n'), write(`${name}.yaml`, text)];
    assert.deepEqual(plainOf(loadConfig({ files, settings: [], context })), { a: 1 }, name);
  }
});

test('loadConfig takes of --set what is after the first "=", and refuses keys that are empty', () => {
  const settings = ['a=b=c', 'd="=x"', 'e::f.g::h=1', 'i=[${env:N}]', 'j="[${env:N}]"'];
  assert.throws(() => loadConfig({ files: [], settings, context }), /^ConfigurationError: --set i:1:\d+: /u);
  assert.deepEqual(
    plainOf(loadConfig({ files: [], settings: settings.filter((text) => !text.startsWith('i')), context })),
    {
      a: 'b=c',
      d: '=x',
      e: { 'f.g': { h: 1 } },
      j: '[7]',
    },
  );
  for (const [setting, source] of [
    ['=1', ''],
    ['a..b=1', 'a..b'],
    ['.a=1', '.a'],
    ['a.=1', 'a.'],
    ['a::=1', 'a::'],
  ] as const) {
    assert.throws(() => loadConfig({ files: [], settings: [setting], context }), {
      message: `--set ${source}: expected a setting such as receivers.rapl.start=auto, found none`,
    });
  }
});
