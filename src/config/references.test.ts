import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { nodeOf } from './node.js';
import { findMissingExtensions } from './references.js';

const storage = { doc: '', format: 'string', references: 'extension', default: null } as const;
const schema: Schema = { queue: { storage, other: { doc: '', format: 'string', default: '' } }, storage };

function findIn(settings: unknown, running: readonly string[]): readonly string[] {
  const problems = findMissingExtensions(schema, nodeOf(settings), 'exporters.otlp', running);
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

test('findMissingExtensions accepts settings that are not written, and those that name what runs', () => {
  assert.deepEqual(findIn(null, []), []);
  assert.deepEqual(findIn({ queue: { storage: null, other: 'x' } }, []), []);
  assert.deepEqual(findIn({ queue: { storage: 'files / b' }, storage: 'files' }, ['files', 'files/b']), []);
});

test('findMissingExtensions names settings that refer to what does not run, at every level', () => {
  assert.deepEqual(findIn({ queue: { storage: 'file_storag' }, storage: 'health' }, ['file_storage']), [
    'exporters.otlp.queue.storage: expected an extension that service.extensions names, found "file_storag", did you mean "file_storage"?',
    'exporters.otlp.storage: expected an extension that service.extensions names, found "health", known: file_storage',
  ]);
});
