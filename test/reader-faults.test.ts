import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { listBuiltInTypes } from '../src/component/find.js';
import { repositoryRoot } from './component-folders.js';
import { faults, fillReaderFaults, findEvidence, readerFaults } from './reader-faults.js';

test('every receiver has a row in the table of faults', () => {
  assert.deepEqual(Object.keys(readerFaults), listBuiltInTypes('receiver').toSorted());
});

test('every fault of a receiver has a test that exists, or a reason', () => {
  const wrong = Object.entries(readerFaults).flatMap(([receiver, row]) =>
    faults.flatMap((fault) => {
      try {
        findEvidence(receiver, row[fault]);
        return [];
      } catch (error) {
        return [`${receiver}, ${fault}: ${String(error)}`];
      }
    }),
  );
  assert.deepEqual(wrong, []);
});

/** The formatter pads table cells. */
function squeeze(text: string): string {
  return text.replaceAll(/[ -]+/gu, '');
}

test('docs/reader-faults.md has the table of faults', () => {
  const page = readFileSync(new URL('docs/reader-faults.md', repositoryRoot), 'utf8');
  assert.equal(squeeze(page), squeeze(fillReaderFaults(page)), 'run: npm run docs');
});
