import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { factory } from './factory.js';

function findProblems(settings: unknown): readonly string[] | undefined {
  return factory.check?.(parseSettings(factory.schema, settings));
}

test('snmp rejects settings that cannot work', () => {
  assert.deepEqual(findProblems({ endpoints: [{ version: '3' }], objects: [{ oid: 'a.b' }] }), [
    'objects.0.oid: expected numbers with dots between, found "a.b"',
    'endpoints.0.user: expected a user for version 3, found none',
  ]);
  assert.deepEqual(
    findProblems({ endpoints: [{ privacy_protocol: 'aes', privacy_password: 'short', measures: 'host' }] }),
    [
      'endpoints.0.auth_protocol: expected one beside privacy_protocol, found none',
      'endpoints.0.privacy_password: expected at least 8 characters, found 5',
      'endpoints.0.channels: expected the outlets of the host for measures: host, found none',
    ],
  );
});
