import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeUncounted } from './counted-event.js';

const line = (name: string, code: string) => ({ name, reason: `Cannot open perf event "${name}": ${code}` });

test('describeUncounted names events with the same reason in one line', () => {
  const refused = [line('a', 'ENOENT'), line('b', 'EACCES'), line('c', 'ENOENT')];
  assert.deepEqual(describeUncounted(refused), [
    'Cannot open perf events "a", "c": ENOENT',
    'Cannot open perf event "b": EACCES',
  ]);
});

test('describeUncounted shows the start of a name that is very long', () => {
  const [text = ''] = describeUncounted([line('x'.repeat(100_000), 'ENOENT')]);
  assert.equal(text, `Cannot open perf event "${'x'.repeat(100)}...": ENOENT`);
});

test('describeUncounted names ten events and counts the rest', () => {
  const refused = Array.from({ length: 20_000 }, (_, i) => line(`e${i}`, 'ENOENT'));
  assert.deepEqual(describeUncounted(refused), [
    'Cannot open perf events "e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9" and 19990 more: ENOENT',
  ]);
});
