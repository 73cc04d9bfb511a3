import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeImage } from './image-reference.js';

const digest = `sha256:${'a'.repeat(64)}`;

for (const [reference, name, tag] of [
  ['nginx', 'nginx', undefined],
  ['nginx:1.25', 'nginx', '1.25'],
  ['localhost:5000/team/web', 'localhost:5000/team/web', undefined],
  ['localhost:5000/team/web:2', 'localhost:5000/team/web', '2'],
  [`quay.io/web:2@${digest}`, 'quay.io/web', '2'],
  [`quay.io/web@${digest}`, 'quay.io/web', undefined],
  [digest, undefined, undefined],
  ['a'.repeat(12), undefined, undefined],
  ['', undefined, undefined],
] as const) {
  test(`describeImage finds the name and the tag in "${reference}"`, () => {
    const attributes = describeImage(reference);
    assert.deepEqual([attributes['container.image.name'], attributes['container.image.tags']], [name, tag]);
  });
}
