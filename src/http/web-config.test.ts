import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogCollector } from '../component/fakes.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { createCertificate, noOpenssl } from './certificate.fixture.js';
import { WebConfigFile } from './web-config.js';
import { hashes, writeWebConfig } from './web-config.fixture.js';

const open = (path: string, log = createLogCollector()) => new WebConfigFile(path, 'a.web_config_file', log);

test("WebConfigFile reads users and headers in Prometheus' format, and substitutes nothing", () => {
  const { path } = writeWebConfig(`http_server_config:
  http2: false
  headers: {X-Frame-Options: deny, X-Text: "\${env:HOME} $$"}
basic_auth_users:
  scraper: ${hashes['correct horse']}
`);
  const { users, headers, tls } = open(path).current();
  assert.deepEqual([...users], [['scraper', hashes['correct horse']]]);
  assert.deepEqual(headers, { 'X-Frame-Options': 'deny', 'X-Text': '${env:HOME} $$' });
  assert.equal(tls, undefined);
});

test('WebConfigFile treats an empty file as plain HTTP', () => {
  const { users, headers, tls } = open(writeWebConfig('').path).current();
  assert.deepEqual([users.size, headers, tls], [0, {}, undefined]);
});

test('WebConfigFile names the mistake and its place, and shows no hash', () => {
  for (const [text, expected] of [
    [
      'basic_auth_users: {a: s3cret}',
      /basic_auth_users\.a: expected a bcrypt hash, as "htpasswd -nB" makes it$/,
    ],
    ['basic_auth_users: [s3cret]', /web\.yaml:1:19: basic_auth_users: expected a map from names to texts/],
    [
      '\nbasic_auth_user: {}',
      /web\.yaml:2:1: basic_auth_user: unknown setting, did you mean "basic_auth_users"/,
    ],
    ['a: "s3cret', /web\.yaml:1:4: Cannot parse YAML: expected the closing " of this quote, found none$/],
    [
      'tls_server_config: {}',
      /tls_server_config: expected cert_file and key_file, found at most one of them$/,
    ],
    ['tls_server_config: {cert_file: no.pem, key_file: no.pem}', /cert_file ".*\/no\.pem": .*ENOENT/],
    [
      'http_server_config: {headers: {"X A": s3cret}}',
      /web\.yaml: http_server_config\.headers\.X A: .*token/,
    ],
    [
      'http_server_config: {headers: {X-A: "s3cret\\nx"}}',
      /web\.yaml: http_server_config\.headers\.X-A: Invalid character/,
    ],
    ['tls_server_config: {client_auth_type: Require}', /client_auth_type: expected one of NoClientCert, /],
  ] as const) {
    const { path } = writeWebConfig(text);
    assert.throws(
      () => open(path),
      ({ message }: Error) => expected.test(message) && !message.includes('s3cret'),
      text,
    );
  }
  assert.throws(() => open('/nowhere/web.yaml'), /^Error: Cannot read \/nowhere\/web\.yaml: .*ENOENT/);
  assert.throws(() => open(createFolder()), /expected a regular file, found a/);
});

test('WebConfigFile reads the file again when it has changed, and keeps the last valid one', () => {
  const log = createLogCollector();
  const { path, write } = writeWebConfig(`basic_auth_users: {a: ${hashes['correct horse']}}`);
  const file = open(path, log);
  const first = file.current();
  assert.equal(file.current(), first);
  write('basic_auth_users: {a: ');
  assert.equal(file.current(), first);
  assert.equal(file.current(), first);
  write(`basic_auth_users: {b: ${hashes.changed}}`);
  assert.deepEqual([...file.current().users.keys()], ['b']);
  assert.equal(log.lines.length, 2);
  assert.match(
    log.lines[0] ?? '',
    /^warn: Cannot use the changed a\.web_config_file ".*web\.yaml": .*expected "}".*; serving with the previous files$/,
  );
  assert.match(
    log.lines[1] ?? '',
    /^info: Serving with changed files from now on: a\.web_config_file ".*web\.yaml"$/,
  );
});

test('WebConfigFile finds certificates next to it, and reads them again', { skip: noOpenssl }, () => {
  const [old, young] = [createCertificate(), createCertificate()];
  const folder = createFolder();
  const [path, cert, key] = ['web.yaml', 'cert.pem', 'key.pem'].map((name) => join(folder, name));
  copyFileSync(old.certFile, cert);
  copyFileSync(old.keyFile, key);
  writeFileSync(path, 'tls_server_config: {cert_file: cert.pem, key_file: key.pem, min_version: TLS13}');
  const log = createLogCollector();
  const file = open(path, log);
  assert.equal(file.current().tls?.minVersion, 'TLSv1.3');
  copyFileSync(young.certFile, cert);
  assert.deepEqual(
    file.current().tls?.cert,
    readFileSync(old.certFile),
    'a certificate without its key is used',
  );
  copyFileSync(young.keyFile, key);
  assert.deepEqual(file.current().tls?.cert, readFileSync(young.certFile));
  assert.match(
    log.lines.join('\n'),
    /^warn: .*serving with the previous files\ninfo: Serving with changed files/,
  );
  writeFileSync(path, 'basic_auth_users: {}');
  assert.ok(file.current().tls, 'TLS is switched off while it runs');
  assert.match(
    log.lines.at(-1) ?? '',
    /expected TLS with client_auth_type NoClientCert as at the start, found no TLS/,
  );
});

test(
  'WebConfigFile uses a changed file once the files that it names exist',
  { skip: noOpenssl },
  async () => {
    const { certFile, keyFile } = createCertificate();
    const tls = (name: string) => `tls_server_config: {cert_file: "${name}", key_file: "${keyFile}"}`;
    const { path, write } = writeWebConfig(tls(certFile));
    const log = createLogCollector();
    const file = open(path, log);
    const young = join(createFolder(), 'young.pem');
    write(tls(young));
    const before = file.current();
    copyFileSync(certFile, young);
    await until(() => file.current() !== before);
    assert.match(
      log.lines.join('\n'),
      /^warn: .*young\.pem": ENOENT; serving.*\ninfo: Serving with changed files.*$/u,
    );
  },
);
