import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';

const plugin = fileURLToPath(new URL('../../sort-imports.mjs', import.meta.url));

function sort(source: string): Promise<string> {
  return format(source, { parser: 'typescript', singleQuote: true, plugins: [plugin] });
}

test('the formatter sorts imports: of Node, of packages, of files, and within braces values before types', async () => {
  const source = `import { b } from './b.js';
import type { A } from './b-a.js';
import { c } from '../c.js';
import {
  type Zed,
  parse, type Alias,
  format } from 'yaml';
import assert, { fail } from 'node:assert/strict';
`;
  const expected = `import assert, { fail } from 'node:assert/strict';
import { format, parse, type Alias, type Zed } from 'yaml';
import { c } from '../c.js';
import { b } from './b.js';
import type { A } from './b-a.js';
`;
  assert.equal(await sort(source), expected);
});

test('the formatter moves no import over a comment, an empty line or a bare import, and nothing that only looks like an import', async () => {
  const source = `#!/usr/bin/env node
/* b before a */
import { b } from './b.js';

import { a } from './a.js';
// Loaded in this order.
import './first.js';
import { d } from './d.js';
import './e.js';
import { c } from './c.js';
const text = \`
import { b } from './b.js';
import { a } from './a.js';
\`;
`;
  assert.equal(await sort(source), source);
});
