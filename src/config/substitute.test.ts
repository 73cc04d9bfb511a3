import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { substitute } from './substitute.js';

const unset: string[] = [];
const surroundings = {
  env: { HOST: 'backend', PORT: '4317', WHICH: 'HOST', SECRET: 'a$b${c}', EMPTY: '' },
  onUnset: (name: string) => void unset.push(name),
};
const textOf = (text: string) => substitute(text, surroundings).text;

test('substitute replaces references, when they name the environment', () => {
  assert.equal(textOf('${env:HOST}:${PORT}'), 'backend:4317');
  assert.equal(textOf('${env:${env:WHICH}}'), 'backend');
});

test('substitute takes the default, when a variable is unset or empty', () => {
  assert.equal(textOf('${env:MISSING:-a:b}'), 'a:b');
  assert.equal(textOf('${EMPTY:-x}'), 'x');
  assert.equal(textOf('${MISSING:-}'), '');
});

test('substitute says which variable is unset, when there is no default', () => {
  unset.length = 0;
  assert.equal(textOf('${env:MISSING}'), '');
  assert.deepEqual(unset, ['MISSING']);
});

test('substitute leaves dollar signs alone, when they are escaped, bare or inside a value', () => {
  assert.equal(textOf('$$5 $HOME $${env:HOST}'), '$5 $HOME ${env:HOST}');
  assert.equal(textOf('${SECRET}'), 'a$b${c}');
});

test('substitute says whether a reference is the whole text', () => {
  assert.equal(substitute('${PORT}', surroundings).isWhole, true);
  assert.equal(substitute('${PORT}0', surroundings).isWhole, false);
  assert.equal(substitute('${HOST}${PORT}', surroundings).isWhole, false);
});

test('substitute reads a file without its last line break', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'joulemetry-')), 'token');
  writeFileSync(path, 'secret\n');
  assert.equal(textOf(`\${file:${path}}`), 'secret');
});

test('substitute throws, when a reference cannot be understood', () => {
  assert.throws(() => textOf('${env:HOST'), /"\$\{" without "\}"/);
  assert.throws(() => textOf('${env:1x}'), /"1x" is no variable name/);
  assert.throws(() => textOf('${vault:x}'), /unknown scheme "vault", known: env, file/);
  assert.throws(() => textOf('${file:/nowhere/token}'), /Cannot read "\/nowhere\/token".*ENOENT/);
});
