import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { repositoryRoot } from './component-folders.js';

test('every promise of docs/delivery.md names tests that exist', () => {
  const page = readFileSync(new URL('docs/delivery.md', repositoryRoot), 'utf8');
  const promises = page
    .slice(page.indexOf('## Promises'), page.indexOf('## Measured'))
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:---|Fault )/u.test(line));
  assert.ok(promises.length > 20, `${promises.length} promises`);
  const wrong = promises.flatMap((line) => {
    const tests = [...line.matchAll(/\[(?<title>[^\]]+)\]\(\.\.\/(?<path>[^)]+\.test\.ts)\)/gu)];
    if (tests.length === 0) return [line];
    return tests.flatMap(({ groups: { title = '', path = '' } = {} }) =>
      readFileSync(new URL(path, repositoryRoot), 'utf8').includes(title) ? [] : [`${path}: ${title}`],
    );
  });
  assert.deepEqual(wrong, []);
});
