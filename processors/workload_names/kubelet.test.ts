import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { createCertificate, noOpenssl } from '../../src/http/certificate.fixture.js';
import { until } from '../../src/testing/until.js';
import { openKubernetes, podOf, sendList, sendStatus, type Answer } from './kubernetes.fixture.js';
import { runProcessor } from './names.fixture.js';

async function openKubelet(t: TestContext, answer: Answer, changes: object = {}, settings: object = {}) {
  const server = await openKubernetes(t, answer);
  const kubelet = {
    endpoint: `https://localhost:${server.port}`,
    credentials: { bearer_token_file: server.tokenFile },
    tls: { ca_file: server.caFile },
    ...changes,
  };
  const title = `kubelet (${kubelet.endpoint})`;
  return {
    server,
    title,
    ...runProcessor(t, { max_wait: '60s', sources: ['kubelet'], kubelet, ...settings }),
  };
}

const list: Answer = (_, response) => sendList(response, [podOf('u', 'aa')]);
const resource = { 'k8s.pod.uid': 'u', 'container.id': 'aa' };

test('workload_names names a pod and its container through the kubelet', { skip: noOpenssl }, async (t) => {
  const { server, name, log } = await openKubelet(t, list);
  assert.deepEqual(await name(resource), {
    'k8s.pod.name': 'pod-u',
    'k8s.namespace.name': 'shop',
    'k8s.node.name': 'node-1',
    'container.name': 'app',
    'k8s.container.name': 'app',
    'container.image.name': 'web',
    'container.image.tags': '2',
  });
  assert.deepEqual(
    server.urls.map(({ pathname }) => pathname),
    ['/pods'],
  );
  assert.equal(log.lines.length, 1);
});

test(
  'workload_names waits for the id of a container, which appears in the status of its pod later',
  { skip: noOpenssl },
  async (t) => {
    let count = 0;
    const { name } = await openKubelet(t, (_, response) =>
      sendList(response, [podOf('u', ++count > 1 ? 'aa' : undefined)]),
    );
    assert.equal((await name(resource))['container.name'], 'app');
    assert.equal(count, 2);
  },
);

test(
  'workload_names uses the current token of the file when it was rotated',
  { skip: noOpenssl },
  async (t) => {
    const { server, name } = await openKubelet(t, (_, response) =>
      sendList(response, [podOf('u'), podOf('v')]),
    );
    assert.equal((await name({ 'k8s.pod.uid': 'u' }))['k8s.pod.name'], 'pod-u');
    server.token = 'second token';
    writeFileSync(server.tokenFile, server.token);
    assert.equal((await name({ 'k8s.pod.uid': 'v' }))['k8s.pod.name'], 'pod-v');
  },
);

for (const [what, answer, cause] of [
  [
    '401',
    (response: ServerResponse) => sendStatus(response, 401, 'Unauthorized'),
    'HTTP 401 Unauthorized; expected a token that is valid, see credentials.bearer_token_file',
  ],
  [
    '403',
    (response: ServerResponse) =>
      void response.writeHead(403).end('Forbidden (user=x, verb=get, resource=nodes, subresource=pods)'),
    'HTTP 403 Forbidden (user=x, verb=get, resource=nodes, subresource=pods); the role of this service account must allow get of nodes/pods, and before Kubernetes 1.33 of nodes/proxy',
  ],
  ['500', (response: ServerResponse) => sendStatus(response, 500, 'out of order'), 'HTTP 500 out of order'],
  [
    'garbage',
    (response: ServerResponse) => void response.end('<html>'),
    'expected JSON, found something else',
  ],
  [
    'half an answer',
    (response: ServerResponse) =>
      void response
        .writeHead(200, { 'Content-Length': '99' })
        .write('{"items":[{', () => setImmediate(() => response.destroy())),
    'aborted',
  ],
  ['nothing', () => undefined, 'expected an answer within 800 ms, found none'],
] as const) {
  test(
    `workload_names logs one line and forwards without names if the kubelet answers ${what}`,
    { skip: noOpenssl },
    async (t) => {
      const { name, log, title } = await openKubelet(
        t,
        (_, response) => answer(response),
        {},
        { max_wait: '400ms' },
      );
      assert.deepEqual(await name(resource), {});
      await until(() => log.lines.length > 1);
      assert.deepEqual(await name({ 'k8s.pod.uid': 'v' }), {});
      assert.deepEqual(log.lines.slice(1), [
        `warn: Cannot get names from ${title}: ${cause}; continuing without these names, trying again`,
      ]);
    },
  );
}

test(
  'workload_names sends no token if the certificate of the kubelet is signed by another CA',
  { skip: noOpenssl },
  async (t) => {
    const { certFile } = createCertificate();
    const { name, log, server } = await openKubelet(
      t,
      list,
      { tls: { ca_file: certFile } },
      { max_wait: '1s' },
    );
    assert.deepEqual(await name(resource), {});
    await until(() => log.lines.length > 1);
    assert.match(
      log.lines[1],
      /self-signed certificate; set tls.ca_file to the certificate of the authority/,
    );
    assert.equal(server.urls.length, 0);
  },
);

test('workload_names sends no token if the certificate has another name', { skip: noOpenssl }, async (t) => {
  const server = await openKubernetes(t, list);
  const kubelet = {
    endpoint: `https://127.0.0.1:${server.port}`,
    credentials: { bearer_token_file: server.tokenFile },
    tls: { ca_file: server.caFile },
  };
  const { name, log } = runProcessor(t, { sources: ['kubelet'], kubelet });
  assert.deepEqual(await name(resource), {});
  assert.match(
    log.lines[1],
    /does not match certificate's altnames.*; set tls.server_name_override to a name in the certificate/,
  );
  assert.equal(server.urls.length, 0);
});

test('workload_names warns if any certificate is accepted', { skip: noOpenssl }, async (t) => {
  const { name, log } = await openKubelet(t, list, { tls: { insecure_skip_verify: true } });
  assert.equal((await name(resource))['k8s.pod.name'], 'pod-u');
  assert.match(
    log.lines[1],
    /^warn: Any machine can pretend to be localhost:\d+: tls.insecure_skip_verify accepts every certificate/,
  );
});

test('workload_names reports what is missing if neither the address of the kubelet nor the name of the node is known', (t) => {
  const { log } = runProcessor(t, { sources: ['kubelet'] });
  assert.match(
    log.lines[0],
    /^warn: Cannot ask the kubelet: expected its address or the name of this node, found none; set kubelet.endpoint/,
  );
});

test('workload_names reports which file is missing if there is no token', { skip: noOpenssl }, async (t) => {
  const { name, log } = await openKubelet(
    t,
    list,
    { credentials: { bearer_token_file: '/none/token' } },
    { max_wait: '1s' },
  );
  assert.deepEqual(await name(resource), {});
  await until(() => log.lines.length > 1);
  assert.match(log.lines[1], /Cannot read credentials.bearer_token_file "\/none\/token": ENOENT/);
});

test(
  'workload_names keeps the path of an address, such as that of a proxy',
  { skip: noOpenssl },
  async (t) => {
    const server = await openKubernetes(t, list);
    const kubelet = {
      endpoint: `https://localhost:${server.port}/proxy/`,
      credentials: { bearer_token_file: server.tokenFile },
      tls: { ca_file: server.caFile },
    };
    const { name } = runProcessor(t, { max_wait: '60s', sources: ['kubelet'], kubelet });
    assert.equal((await name(resource))['k8s.pod.name'], 'pod-u');
    assert.equal(server.urls[0].pathname, '/proxy/pods');
  },
);
