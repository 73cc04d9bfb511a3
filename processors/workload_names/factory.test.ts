import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { factory } from './factory.js';

/** The errors in some settings. */
function check(settings: object): readonly string[] | undefined {
  return factory.check?.(parseSettings(factory.schema, settings));
}

test('workload_names reports an unknown source when the settings are checked', () => {
  assert.deepEqual(check({ sources: ['auto', 'rkt'] }), [
    'sources: expected some of auto, docker, podman, api_server, kubelet, cri, slurm, found "rkt"',
  ]);
});

test("workload_names checks the combination of its clients' settings", () => {
  assert.deepEqual(
    check({ kubelet: { tls: { cert_file: 'cert.pem' } }, api_server: { credentials: { username: 'a' } } }),
    [
      'api_server.credentials: expected username and password_file together, found only one of them',
      'kubelet.tls: expected cert_file and key_file together, found only one of them',
    ],
  );
});
