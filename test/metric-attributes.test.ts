import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAttributes } from './metric-attributes.js';

function readmeWith(...rows: readonly (readonly [metric: string, attributes: string])[]): string {
  const lines = rows.map(([metric, attributes]) => `| \`${metric}\` | \`1\` | gauge | ${attributes} | x |`);
  return `# x\n\n## Metrics\n\n| Metric | Unit | Kind | Attributes | Description |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

test('describeAttributes gives the attributes of the only README, with their values', () => {
  const readme = readmeWith(['hw.a', '`hw.type`: cpu, `hw.id`']);
  assert.equal(describeAttributes('hw.a', [readme, readme]), '`hw.type`: cpu, `hw.id`');
});

test('describeAttributes resolves references to other rows of the same table', () => {
  const readme = readmeWith(
    ['a', '`x.one`'],
    ['b', 'the same; `x.two`'],
    ['c', 'the same'],
    ['d', 'as `a`, `x.three`'],
  );
  assert.equal(describeAttributes('b', [readme]), '`x.one`; `x.two`');
  assert.equal(describeAttributes('c', [readme]), '`x.one`; `x.two`');
  assert.equal(describeAttributes('d', [readme]), '`x.one`, `x.three`');
});

test('describeAttributes keeps a reference to a metric of another component', () => {
  assert.equal(describeAttributes('a', [readmeWith(['a', 'as `b`, and `x.one`'])]), 'as `b`, and `x.one`');
});

test('describeAttributes gives the names in all READMEs that differ, without values and other metrics', () => {
  const readmes = [
    readmeWith(['a', '`x.one`: 1, `x.two` = high.critical, with `per.setting`']),
    readmeWith(['a', '`x.three`; `x.one`']),
    readmeWith(['a', 'as `other.metric`, `x.four`']),
    readmeWith(['a', '-']),
  ];
  assert.equal(describeAttributes('a', readmes), '`x.one`, `x.two`, `x.three`');
});

test('describeAttributes gives an empty text for a metric without attributes', () => {
  assert.equal(describeAttributes('a', [readmeWith(['a', '-'])]), '');
  assert.equal(describeAttributes('b', [readmeWith(['a', '-'])]), '');
});
