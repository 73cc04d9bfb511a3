import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResourceEnvironment } from './resource-environment.js';

function read(environment: Record<string, string>) {
  const warnings: string[] = [];
  const attributes = readResourceEnvironment(environment, (message) => warnings.push(message));
  return { attributes, warnings };
}

test('readResourceEnvironment gives a name of the service by default, which the variables replace', () => {
  assert.deepEqual(read({}).attributes, { 'service.name': 'joulemetry' });
  const OTEL_RESOURCE_ATTRIBUTES = 'service.name=a';
  assert.deepEqual(read({ OTEL_RESOURCE_ATTRIBUTES }).attributes, { 'service.name': 'a' });
  const both = { OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'b' };
  assert.deepEqual(read(both).attributes, { 'service.name': 'b' });
  assert.deepEqual(read({ ...both, OTEL_SERVICE_NAME: '' }).attributes, { 'service.name': 'a' });
});

test('readResourceEnvironment decodes keys and values', () => {
  const { attributes } = read({ OTEL_RESOURCE_ATTRIBUTES: 'a=b, team = x%2Cy ,eq=1=2,' });
  assert.deepEqual(attributes, { 'service.name': 'joulemetry', a: 'b', team: 'x,y', eq: '1=2' });
});

test('readResourceEnvironment ignores the whole variable, with a warning, when a part is not a pair', () => {
  for (const part of ['s3cret', '=s3cret', 's3cret=%zz']) {
    assert.deepEqual(read({ OTEL_RESOURCE_ATTRIBUTES: `ok=1,${part}` }), {
      attributes: { 'service.name': 'joulemetry' },
      warnings: [
        'Cannot use OTEL_RESOURCE_ATTRIBUTES: expected key=value pairs between commas, percent-encoded, found something else at pair 2',
      ],
    });
  }
});
