import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFactoryFinder } from '../../src/component/find.js';
import { validateComponents } from '../../src/config/components.js';
import { nodeOf } from '../../src/config/node.js';
import type { Problem } from '../../src/config/problem.js';

/** The problems of settings of the receiver. */
async function findProblems(settings: unknown): Promise<string[]> {
  const problems: Problem[] = [];
  await validateComponents(
    'receiver',
    nodeOf({ receivers: { otlp: settings } }),
    createFactoryFinder(),
    problems,
  );
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

test('the configuration is that of the Collector, and both protocols have its defaults', async () => {
  assert.deepEqual(await findProblems({ protocols: { grpc: null, http: null } }), []);
  const settings = {
    protocols: {
      grpc: {
        endpoint: '0.0.0.0:4317',
        tls: { cert_file: '/c', key_file: '/k', client_ca_file: '/a', min_version: '1.3' },
        max_recv_msg_size_mib: 16,
        max_concurrent_streams: 10,
      },
      http: { endpoint: ':4318', metrics_url_path: '/metrics', max_request_body_size: 1_000_000 },
    },
  };
  assert.deepEqual(await findProblems(settings), []);
});

test('a configuration without a protocol, with two sources of TLS or with a path without a slash is rejected', async () => {
  assert.deepEqual(await findProblems({}), [
    'receivers.otlp: protocols: expected "grpc", "http" or both, found none',
  ]);
  const http = { tls: { cert_file: '/c', key_file: '/k' }, web_config_file: '/w', metrics_url_path: 'm' };
  assert.deepEqual(await findProblems({ protocols: { http } }), [
    'receivers.otlp: protocols.http: expected "tls" or "web_config_file", found both',
    'receivers.otlp: protocols.http.metrics_url_path: expected a path that begins with "/", found "m"',
  ]);
});

test("unsupported settings of the Collector's receiver are rejected with their replacement", async () => {
  const grpc = { auth: { authenticator: 'basicauth' }, tls: { cert_pem: 'x' } };
  const http = { cors: {}, response_headers: {}, endpoints: ':1' };
  assert.deepEqual(await findProblems({ protocols: { grpc, http } }), [
    'receivers.otlp.protocols.grpc.auth: unknown setting; use "web_config_file", whose "basic_auth_users" are the users',
    'receivers.otlp.protocols.grpc.tls.cert_pem: unknown setting; write the certificate to a file and name it in "cert_file"',
    'receivers.otlp.protocols.http.cors: unknown setting; let a reverse proxy answer the preflight requests of browsers',
    'receivers.otlp.protocols.http.response_headers: unknown setting; use "web_config_file", whose "http_server_config" has "headers"',
    'receivers.otlp.protocols.http.endpoints: unknown setting, did you mean "endpoint"?',
  ]);
});
