import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createLogCollector } from '../component/fakes.js';
import { createCertificate, noOpenssl } from './certificate.fixture.js';
import { WebConfigFile, type WebConfig } from './web-config.js';
import { hashes, writeWebConfig } from './web-config.fixture.js';

// The kinds of files that Prometheus' exporter-toolkit accepts and refuses, according to its documentation of
// the web configuration (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md).

function load(text: string, files: Readonly<Record<string, string>> = {}): WebConfig {
  const { path } = writeWebConfig(text);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dirname(path), name), content);
  return new WebConfigFile(path, 'web', createLogCollector()).current();
}

const refused = [
  ['a key that there is not', 'junk_key: true', /junk_key: unknown setting/u],
  ['no map', '- a', /expected a map/u],
  ['no YAML', 'tls_server_config: [', /Cannot parse YAML/u],
  [
    'a key without a certificate',
    'tls_server_config: {key_file: junk.pem}',
    /expected cert_file and key_file/u,
  ],
  [
    'a certificate without a key',
    'tls_server_config: {cert_file: junk.pem}',
    /expected cert_file and key_file/u,
  ],
  ['neither of them', 'tls_server_config: {}', /expected cert_file and key_file, found at most one/u],
  [
    'a certificate that does not exist',
    'tls_server_config: {cert_file: no.pem, key_file: no.pem}',
    /cert_file ".*no\.pem": .*ENOENT/u,
  ],
  [
    'a certificate that is none',
    'tls_server_config: {cert_file: junk.pem, key_file: junk.pem}',
    /expected whole certificates in PEM, found 0 of 0/u,
  ],
  [
    'a version of TLS that there is not',
    'tls_server_config: {min_version: TLS14}',
    /min_version: expected one of TLS10/u,
  ],
  [
    'a kind of clients that there is not',
    'tls_server_config: {client_auth_type: Nobody}',
    /client_auth_type: expected one of/u,
  ],
  [
    'cipher suites, which OpenSSL chooses',
    'tls_server_config: {cipher_suites: [TLS_RSA]}',
    /cipher_suites: unknown setting/u,
  ],
  ['users without hashes', 'basic_auth_users: {alice: secret}', /alice: expected a bcrypt hash/u],
  ['a list of users', 'basic_auth_users: [alice]', /basic_auth_users: expected a map from names to texts/u],
  ['a header that is none', 'http_server_config: {headers: {"X Y": a}}', /headers\.X Y: /u],
  [
    'a header of two lines',
    'http_server_config: {headers: {X-Y: "a\\nb"}}',
    /headers\.X-Y: Invalid character/u,
  ],
  ['a text for HTTP/2', 'http_server_config: {http2: maybe}', /http2: expected true or false/u],
] as const;

for (const [what, text, message] of refused) {
  test(`WebConfigFile refuses ${what}`, () => {
    assert.throws(() => load(text, { 'junk.pem': 'junk' }), message);
  });
}

test('WebConfigFile accepts users, headers and HTTP/2 without TLS', () => {
  const hash = hashes['correct horse'];
  const { tls, users, headers } = load(`basic_auth_users: { alice: "${hash}" }
http_server_config:
  http2: false
  headers: { X-Frame-Options: deny, Strict-Transport-Security: max-age=31536000 }
`);
  assert.equal(tls, undefined);
  assert.deepEqual([...users], [['alice', hash]]);
  assert.deepEqual(headers, { 'X-Frame-Options': 'deny', 'Strict-Transport-Security': 'max-age=31536000' });
});

test('WebConfigFile accepts an empty file', () => {
  assert.deepEqual(load(''), { tls: undefined, headers: {}, users: new Map() });
});

const skip = { skip: noOpenssl };

for (const type of ['NoClientCert', 'RequestClientCert', 'RequireAnyClientCert'] as const) {
  test(`WebConfigFile accepts ${type} without authorities`, skip, () => {
    const { certFile, keyFile } = createCertificate();
    const { tls } = load(
      `tls_server_config: {cert_file: "${certFile}", key_file: "${keyFile}", client_auth_type: ${type}}`,
    );
    assert.deepEqual([tls?.clientAuth, tls?.minVersion, tls?.maxVersion], [type, 'TLSv1.2', 'TLSv1.3']);
  });
}

for (const type of ['VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'] as const) {
  test(`WebConfigFile accepts ${type} only with authorities, which must be certificates`, skip, () => {
    const { certFile, keyFile } = createCertificate();
    const common = `cert_file: "${certFile}", key_file: "${keyFile}", client_auth_type: ${type}`;
    assert.throws(
      () => load(`tls_server_config: {${common}}`),
      /expected client_ca_file for client_auth_type/u,
    );
    const junk = { 'junk.pem': 'junk' };
    assert.throws(
      () => load(`tls_server_config: {${common}, client_ca_file: junk.pem}`, junk),
      /client_ca_file ".*junk\.pem": expected whole certificates/u,
    );
    const { tls } = load(`tls_server_config: {${common}, client_ca_file: "${certFile}"}`);
    assert.ok(tls?.ca);
  });
}

test('WebConfigFile refuses a key that does not belong to the certificate', skip, () => {
  const [one, other] = [createCertificate(), createCertificate()];
  assert.throws(
    () => load(`tls_server_config: {cert_file: "${one.certFile}", key_file: "${other.keyFile}"}`),
    /Cannot use tls_server_config\.cert_file with key_file: /u,
  );
});
