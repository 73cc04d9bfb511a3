import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { maxReferencedBytes, substitute } from './substitute.js';

const folder = createFolder();

const unset: string[] = [];
const context = {
  env: { HOST: 'backend', PORT: '4317', WHICH: 'HOST', SECRET: 'a$b${c}', EMPTY: '' },
  onUnset: (name: string) => void unset.push(name),
};
const textOf = (text: string) => substitute(text, context).text;

test('substitute replaces references, when they name the environment', () => {
  assert.equal(textOf('${env:HOST}:${PORT}'), 'backend:4317');
  assert.equal(textOf('${env:${env:WHICH}}'), 'backend');
});

test('substitute takes the default, when a variable is unset or empty', () => {
  assert.equal(textOf('${env:MISSING:-a:b}'), 'a:b');
  assert.equal(textOf('${EMPTY:-x}'), 'x');
  assert.equal(textOf('${MISSING:-}'), '');
});

test('substitute reports which variable is unset, when there is no default', () => {
  unset.length = 0;
  assert.equal(textOf('${env:MISSING}'), '');
  assert.deepEqual(unset, ['MISSING']);
});

test('substitute does not look at a default that is not used', () => {
  unset.length = 0;
  for (const text of ['${HOST:-${MISSING}}', '${env:HOST:-${file:/nowhere/token}}', '${HOST:-${1x}}'])
    assert.equal(textOf(text), 'backend', text);
  assert.deepEqual(unset, []);
  assert.equal(textOf('${EMPTY:-${MISSING}}'), '');
  assert.deepEqual(unset, ['MISSING']);
});

test('substitute leaves dollar signs alone, when they are escaped, bare or inside a value', () => {
  assert.equal(textOf('$$5 $HOME $${env:HOST}'), '$5 $HOME ${env:HOST}');
  assert.equal(textOf('${SECRET}'), 'a$b${c}');
});

test('substitute reports whether a reference is the whole text', () => {
  assert.equal(substitute('${PORT}', context).isWhole, true);
  assert.equal(substitute('${PORT}0', context).isWhole, false);
  assert.equal(substitute('${HOST}${PORT}', context).isWhole, false);
});

test('substitute reads a file without its last line break', () => {
  const path = join(folder, 'token');
  writeFileSync(path, 'secret\n');
  assert.equal(textOf(`\${file:${path}}`), 'secret');
});

test('substitute throws, when a reference cannot be understood', () => {
  assert.throws(() => textOf('${env:HOST'), /expected "\}" after "\$\{", found none/);
  assert.throws(() => textOf('${env:1x}'), /Cannot substitute "\$\{env:1x\}": expected a name of letters/);
  assert.throws(() => textOf('${vault:x}'), /"\$\{vault:x\}": expected the scheme env or file/);
  assert.throws(() => textOf('${file:/nowhere/token}'), /"\$\{file:\/nowhere\/token\}": ENOENT$/);
});

test('substitute names references, and those that gave nothing, without their values and defaults', () => {
  const { references, empty } = substitute('a ${HOST} ${env:MISSING} ${EMPTY} ${env:EMPTY:-x}', context);
  assert.deepEqual(references, ['${HOST}', '${env:MISSING}', '${EMPTY}', '${env:EMPTY}']);
  assert.deepEqual(empty, ['${env:MISSING}', '${EMPTY}']);
});

test('substitute shows no secret in an error: no text around a reference, no default, no value of another', () => {
  for (const text of [
    's3cret ${env:X',
    '${env:1x:-s3cret}',
    '${env:${env:KEY}}',
    '${file:/nowhere/${KEY}}',
    '${s3cret${',
  ]) {
    const lookUp = () => substitute(text, { ...context, env: { KEY: '/s3cret' } });
    assert.throws(lookUp, ({ message }: Error) => !message.includes('s3cret'));
  }
});

test('substitute refuses a file that is not regular or too large, and does not wait for it', () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  assert.throws(() => textOf(`\${file:${fifo}}`), /expected a regular file, found a FIFO$/);
  assert.throws(() => textOf('${file:/dev/zero}'), /found a character device$/);
  const large = join(folder, 'large');
  writeFileSync(large, Buffer.alloc(maxReferencedBytes + 1));
  assert.throws(() => textOf(`\${file:${large}}`), /expected at most 1048576 bytes, found more$/);
});

const nest = (levels: number) => `${'${A:-'.repeat(levels)}x${'}'.repeat(levels)}`;

test('substitute follows references within references, to a depth that no stack fears', () => {
  assert.equal(textOf(nest(10)), 'x');
  assert.throws(
    () => textOf(nest(10_000)),
    /^SubstitutionError: .*expected at most \d+ levels, found more$/u,
  );
});

test('substitute halves each pair of dollar signs, and takes a reference after an odd number of them', () => {
  for (const [text, value] of Object.entries({
    $$$$: '$$',
    '$$${HOST}': '$backend',
    '$$$${HOST}': '$${HOST}',
    a$: 'a$',
    '}${HOST}}': '}backend}',
  }))
    assert.equal(textOf(text), value, text);
});

test('substitute takes a default as it is written: with colons, braces, references and escapes', () => {
  for (const [text, value] of Object.entries({
    '${M:-a:-b}': 'a:-b',
    '${M:-{a: {b}}}': '{a: {b}}',
    '${M:-$$5}': '$5',
    '${M:-${N:-${PORT}}}': '4317',
    '${env:EMPTY:-${HOST}:${PORT}}': 'backend:4317',
  })) {
    const { text: result, isWhole } = substitute(text, context);
    assert.deepEqual([result, isWhole], [value, true], text);
  }
  // A path has no default.
  assert.throws(() => textOf('${file:/nowhere:-a}'), /"\$\{file:\/nowhere:-a\}": ENOENT$/u);
});

test('substitute reports what a name or a scheme should be, and shows the reference without its default', () => {
  const named = 'expected a name of letters, digits and underscores that does not begin with a digit';
  for (const [text, message] of Object.entries({
    '${}': `"\${}": ${named}`,
    '${:-x}': `"\${}": ${named}`,
    '${env:a b}': `"\${env:a b}": ${named}`,
    '${env: HOST:-x}': `"\${env: HOST}": ${named}`,
    '${ENV:HOST}': '"${ENV:HOST}": expected the scheme env or file',
    '${http://a}': '"${http://a}": expected the scheme env or file',
  }))
    assert.throws(() => textOf(text), { message: `Cannot substitute ${message}` });
});

test('substitute takes off one line break at the end of a file, of either kind, and nothing else', () => {
  const path = join(folder, 'lines');
  for (const [written, value] of [
    ['a\r\n', 'a'],
    ['a\n\n', 'a\n'],
    [' a ${HOST}$$ ', ' a ${HOST}$$ '],
    ['', ''],
  ] as const) {
    writeFileSync(path, written);
    assert.equal(textOf(`\${file:${path}}`), value);
  }
  assert.deepEqual(substitute(`\${file:${path}}`, context).empty, [`\${file:${path}}`]);
});
