import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLogCollector } from '../component/fakes.js';
import { readDescriptorLimit } from '../linux/privileges.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { createCertificate, noOpenssl, type CertificateFiles } from './certificate.fixture.js';
import { servePages, type Pages } from './server.js';
import { basic, createSecuredConfig, fetchTls, hashes, writeWebConfig } from './web-config.fixture.js';

async function start(t: TestContext, pages: Pages, webConfigFile: string | null = null) {
  const log = createLogCollector();
  const options = { chosen: 'localhost:0', fallback: '', setting: 'a.endpoint', log, webConfigFile };
  const listener = await servePages(pages, options);
  assert.ok(listener);
  t.after(() => listener.close());
  const port = Number(listener.address.split(':')[1]);
  return { port, log, origin: listener.origin };
}

const hello = { '/hello': () => ({ status: 200, body: 'hello\n' }) };

/** A connection that collects what it receives. */
async function open(t: TestContext, port: number) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  await once(socket, 'connect');
  return { socket, read: () => text };
}

async function ask(t: TestContext, port: number, request: string): Promise<string> {
  const { socket, read } = await open(t, port);
  socket.write(request);
  // Not once(): it would reject if the server resets the connection.
  await until(() => socket.closed);
  return read();
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const get = (path: string, host = 'localhost') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test('servePages answers GET and HEAD of its pages, and 404 to other paths', async (t) => {
  const { origin, port } = await start(t, hello);
  const response = await fetch(`${origin}/hello?a=1`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(await response.text(), 'hello\n');
  const head = await ask(t, port, get('/hello').replace('GET', 'HEAD'));
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Content-Length: 6\r\n(.*\r\n)*\r\n$/);
  assert.equal(await (await fetch(`${origin}/`)).text(), 'Not found, try /hello\n');
  assert.equal(statusOf(await ask(t, port, get('/__proto__'))), 404);
});

test('servePages answers other methods with 405', async (t) => {
  const { origin } = await start(t, hello);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${origin}/hello`, { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
  }
});

test('servePages answers a Host header of another name with 403, and accepts its absence in HTTP/1.0', async (t) => {
  const { port } = await start(t, hello);
  assert.equal(statusOf(await ask(t, port, get('/hello', `evil.example:${port}`))), 403);
  assert.equal(statusOf(await ask(t, port, get('/hello', `127.0.0.1:${port}`))), 200);
  assert.equal(statusOf(await ask(t, port, 'GET /hello HTTP/1.0\r\n\r\n')), 200);
});

test('servePages accepts a target with a scheme, and uses its authority instead of the Host header', async (t) => {
  const { port } = await start(t, hello);
  const statusFor = async (target: string, host: string) => statusOf(await ask(t, port, get(target, host)));
  assert.equal(await statusFor('http://localhost/hello', 'localhost'), 200);
  assert.equal(await statusFor(`HTTP://127.0.0.1:${port}/hello?a=/b`, 'evil.example'), 200);
  assert.equal(await statusFor('http://evil.example/hello', 'localhost'), 403);
  for (const authority of ['', 'localhost@evil.example', 'me:x@localhost']) {
    assert.equal(await statusFor(`http://${authority}/hello`, 'localhost'), 403, authority);
  }
  assert.equal(await statusFor('http://localhost', 'localhost'), 404);
});

test('servePages logs why a page cannot be created, and answers the next request', async (t) => {
  const { origin, log } = await start(t, {
    ...hello,
    '/bad': () => Promise.reject(new Error('Cannot make it')),
  });
  await assert.rejects(fetch(`${origin}/bad`));
  assert.deepEqual(log.lines, ['error: Cannot serve /bad: Cannot make it']);
  assert.equal((await fetch(`${origin}/hello`)).status, 200);
});

test('servePages answers a limited number of pipelined requests', async (t) => {
  let asked = 0;
  const { port } = await start(t, { '/count': () => ({ status: 200, body: `${++asked}\n` }) });
  const many = get('/count').replace('Connection: close\r\n', '').repeat(3000);
  const answers = await ask(t, port, many);
  assert.ok(asked > 0 && asked <= 100, `asked ${asked} times`);
  assert.ok(answers.split('HTTP/1.1 200').length - 1 <= 100);
});

test('servePages keeps room for a scraper when hundreds of connections are idle', async (t) => {
  const { port, origin, log } = await start(t, hello);
  const sockets: Socket[] = [];
  for (let i = 0; i < 200; i++) sockets.push((await open(t, port)).socket);
  assert.equal(await (await fetch(`${origin}/hello`)).text(), 'hello\n');
  const limit = Math.max(4, Math.min(64, Math.floor(readDescriptorLimit() / 16)));
  await until(() => sockets.filter((socket) => !socket.closed).length <= limit);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0] ?? '', /^warn: Closing idle connections: expected at most \d+, found \d+$/);
});

const users = (user: string, hash: string) => `basic_auth_users: {${user}: "${hash}"}`;

test('servePages answers users only with their password, and others with 401', async (t) => {
  const { path } = writeWebConfig(
    `${users('me', hashes['correct horse'])}\nhttp_server_config: {headers: {X-A: b}}`,
  );
  const { origin } = await start(t, hello, path);
  const fetchAs = (header?: string, page = '/hello') =>
    fetch(origin + page, header === undefined ? {} : { headers: { Authorization: header } });
  const right = basic('me', 'correct horse');
  for (const header of [right, right.replace('Basic', 'basic'), right]) {
    const response = await fetchAs(header);
    assert.deepEqual([response.status, response.headers.get('x-a')], [200, 'b']);
  }
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic bWU=',
    'Bearer me',
    basic('me', 'correct hors'),
    basic('me', 'correct horse '),
    basic('me', ''),
    basic('', 'correct horse'),
    basic('you', 'correct horse'),
    basic('me', hashes['correct horse']),
    basic('__proto__', 'x'),
  ]) {
    const response = await fetchAs(header);
    assert.equal(response.status, 401, header);
    assert.equal(response.headers.get('www-authenticate'), 'Basic');
    assert.equal(await response.text(), 'Unauthorized\n');
  }
  assert.equal((await fetchAs(undefined, '/')).status, 401, 'other paths are told apart');
  assert.equal((await fetchAs(right, '/')).status, 404);
});

test('servePages checks the Host header even of users, before their password', async (t) => {
  const { path } = writeWebConfig(users('me', hashes['correct horse']));
  const { port } = await start(t, hello, path);
  assert.equal(statusOf(await ask(t, port, get('/hello', 'evil.example'))), 403);
});

test('servePages accepts changed users, and no longer the previous ones', async (t) => {
  const { path, write } = writeWebConfig(users('me', hashes['correct horse']));
  const { origin } = await start(t, hello, path);
  const statusFor = async (password: string) =>
    (await fetch(`${origin}/hello`, { headers: { Authorization: basic('me', password) } })).status;
  assert.deepEqual([await statusFor('correct horse'), await statusFor('changed')], [200, 401]);
  write(users('me', hashes.changed));
  assert.deepEqual([await statusFor('correct horse'), await statusFor('changed')], [401, 200]);
});

test('servePages compares a limited number of passwords at a time', async (t) => {
  const { path } = writeWebConfig(users('me', hashes['correct horse'].replace('$04$', '$08$')));
  const { origin } = await start(t, hello, path);
  const guess = async (_: unknown, i: number) =>
    (await fetch(`${origin}/hello`, { headers: { Authorization: basic('me', `${i}`) } })).status;
  const statuses = await Promise.all(Array.from({ length: 60 }, guess));
  assert.ok(statuses.includes(503) && statuses.includes(401), statuses.join());
  assert.ok(statuses.every((status) => status === 503 || status === 401));
});

test('servePages does not start when its web configuration is invalid', async () => {
  const options = { chosen: 'localhost:0', fallback: '', setting: 'a.endpoint', log: createLogCollector() };
  await assert.rejects(servePages(hello, { ...options, webConfigFile: '/nowhere' }), /Cannot read \/nowhere/);
});

const skip = { skip: noOpenssl };

test('servePages serves only TLS, with users, when its web configuration requires it', skip, async (t) => {
  const { path, certFile } = createSecuredConfig();
  const { origin, port } = await start(t, hello, path);
  assert.match(origin, /^https:/);
  const ca = readFileSync(certFile);
  const authorization = basic('scraper', 'correct horse');
  const { status, body } = await fetchTls(`${origin}/hello`, { ca, authorization });
  assert.deepEqual([status, body], [200, 'hello\n']);
  assert.equal((await fetchTls(`${origin}/hello`, { ca })).status, 401);
  await assert.rejects(fetchTls(`${origin}/hello`, {}), /self-signed certificate/);
  await assert.rejects(fetchTls(`${origin}/hello`, { ca, maxVersion: 'TLSv1.1' }));
  assert.equal(await ask(t, port, get('/hello')), '', 'it answers without TLS');
});

test('servePages presents a replaced certificate to the next client', skip, async (t) => {
  const [old, young] = [createCertificate(), createCertificate()];
  const folder = createFolder();
  const copy = ({ certFile, keyFile }: CertificateFiles) => {
    copyFileSync(certFile, join(folder, 'cert.pem'));
    copyFileSync(keyFile, join(folder, 'key.pem'));
  };
  copy(old);
  writeFileSync(join(folder, 'web.yaml'), 'tls_server_config: {cert_file: cert.pem, key_file: key.pem}');
  const { origin } = await start(t, hello, join(folder, 'web.yaml'));
  const [oldCa, youngCa] = [readFileSync(old.certFile), readFileSync(young.certFile)];
  assert.equal((await fetchTls(`${origin}/hello`, { ca: oldCa })).status, 200);
  await assert.rejects(fetchTls(`${origin}/hello`, { ca: youngCa }));
  copy(young);
  assert.equal((await fetchTls(`${origin}/hello`, { ca: youngCa })).status, 200);
  await assert.rejects(fetchTls(`${origin}/hello`, { ca: oldCa }));
});

test('servePages requests client certificates according to client_auth_type', skip, async (t) => {
  const [server, client, stranger] = [createCertificate(), createCertificate(), createCertificate()];
  const ca = readFileSync(server.certFile);
  const shown = [undefined, client, stranger].map((files) =>
    files ? { ca, cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) } : { ca },
  );
  for (const [type, expected] of [
    ['NoClientCert', [200, 200, 200]],
    ['RequestClientCert', [200, 200, 200]],
    ['RequireAnyClientCert', [0, 200, 200]],
    ['VerifyClientCertIfGiven', [200, 200, 0]],
    ['RequireAndVerifyClientCert', [0, 200, 0]],
  ] as const) {
    const files = `cert_file: "${server.certFile}", key_file: "${server.keyFile}", client_ca_file: "${client.certFile}"`;
    const { path } = writeWebConfig(`tls_server_config: {${files}, client_auth_type: ${type}}`);
    const { origin } = await start(t, hello, path);
    const statuses = shown.map(async (options) => {
      const answer = fetchTls(`${origin}/hello`, options);
      return answer.then(({ status }) => status).catch(() => 0);
    });
    assert.deepEqual(await Promise.all(statuses), expected, type);
  }
});

test(
  'servePages keeps room for a scraper with TLS when hundreds of connections are idle',
  skip,
  async (t) => {
    const { path, certFile } = createSecuredConfig();
    const { port, origin } = await start(t, hello, path);
    const sockets: Socket[] = [];
    for (let i = 0; i < 200; i++) sockets.push((await open(t, port)).socket);
    const authorization = basic('scraper', 'correct horse');
    const { status } = await fetchTls(`${origin}/hello`, { ca: readFileSync(certFile), authorization });
    assert.equal(status, 200);
    await until(() => sockets.filter((socket) => !socket.closed).length <= 64);
  },
);
