import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLeftOpen } from './few-descriptors.fixture.js';

test('Gate leaves no descriptor open if it cannot open all that it needs', () => {
  const url = JSON.stringify(new URL('gate.js', import.meta.url).href);
  const script = `import { Gate } from ${url}; const attempt = () => new Gate().close();`;
  assert.equal(findLeftOpen(script), '');
});
