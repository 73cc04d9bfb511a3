import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { noOpenssl } from '../../src/http/certificate.fixture.js';
import { until } from '../../src/testing/until.js';
import { openKubernetes, podOf, sendList, sendStatus } from './kubernetes.fixture.js';
import { resourcesOf, rowOf, runProcessor, seriesOf } from './names.fixture.js';

interface Served {
  list?(response: ServerResponse, url: URL): void;
  watch?(response: ServerResponse, url: URL): void;
}

/** An API server; without `watch`, its watches stay open and are collected. */
async function openApiServer(t: TestContext, { list, watch }: Served = {}, settings: object = {}) {
  const watches: ServerResponse[] = [];
  const server = await openKubernetes(t, (url, response) => {
    if (!url.searchParams.has('watch'))
      return list ? list(response, url) : sendList(response, [podOf('u', 'aa')]);
    if (watch) return watch(response, url);
    response.writeHead(200).flushHeaders();
    watches.push(response);
  });
  const apiServer = {
    endpoint: `https://localhost:${server.port}`,
    credentials: { bearer_token_file: server.tokenFile },
    tls: { ca_file: server.caFile },
  };
  const title = `API server (${apiServer.endpoint})`;
  const queries = () => server.urls.map(({ search }) => search);
  const rig = runProcessor(t, {
    max_wait: '60s',
    sources: ['api_server'],
    api_server: apiServer,
    node_name: 'node-1',
    ...settings,
  });
  return { server, watches, title, queries, ...rig };
}

function sendEvent(response: ServerResponse | undefined, type: string, object: object): void {
  response?.write(`${JSON.stringify({ type, object })}\n`);
}

test(
  'workload_names names pods of this node by a list and a watch of the API server',
  { skip: noOpenssl },
  async (t) => {
    const { name, watches, queries, log } = await openApiServer(t);
    assert.deepEqual(await name({ 'k8s.pod.uid': 'u', 'container.id': 'aa' }), {
      'k8s.pod.name': 'pod-u',
      'k8s.namespace.name': 'shop',
      'k8s.node.name': 'node-1',
      'container.name': 'app',
      'k8s.container.name': 'app',
      'container.image.name': 'web',
      'container.image.tags': '2',
    });
    await until(() => watches.length === 1);
    assert.deepEqual(queries(), [
      '?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0',
      '?fieldSelector=spec.nodeName%3Dnode-1&watch=true&allowWatchBookmarks=true&timeoutSeconds=120&resourceVersion=7',
    ]);
    assert.equal(log.lines.length, 1);
  },
);

test(
  'workload_names waits for a pod, and for the id of its container, until the watch reports them',
  { skip: noOpenssl },
  async (t) => {
    const { name, watches } = await openApiServer(t);
    const pod = name({ 'k8s.pod.uid': 'v', 'container.id': 'bb' });
    await until(() => watches.length === 1);
    sendEvent(watches[0], 'ADDED', podOf('v'));
    sendEvent(watches[0], 'MODIFIED', podOf('v', 'bb'));
    const names = await pod;
    assert.deepEqual([names['k8s.pod.name'], names['container.name']], ['pod-v', 'app']);
  },
);

test(
  'workload_names forwards without names in time if the API server does not know the pod',
  { skip: noOpenssl },
  async (t) => {
    const { name } = await openApiServer(t, {}, { max_wait: '50ms' });
    assert.deepEqual(await name({ 'k8s.pod.uid': 'other' }), {});
  },
);

test('workload_names forgets a pod that was deleted', { skip: noOpenssl }, async (t) => {
  const { name, watches } = await openApiServer(t, {}, { max_wait: '300ms' });
  await until(() => watches.length === 1);
  sendEvent(watches[0], 'DELETED', podOf('u'));
  sendEvent(watches[0], 'ADDED', podOf('v'));
  assert.equal((await name({ 'k8s.pod.uid': 'v' }))['k8s.pod.name'], 'pod-v');
  assert.deepEqual(await name({ 'k8s.pod.uid': 'u' }), {});
});

test(
  'workload_names continues from the last bookmark when the API server ends a watch',
  { skip: noOpenssl },
  async (t) => {
    const { watches, queries } = await openApiServer(t);
    await until(() => watches.length === 1);
    sendEvent(watches[0], 'BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '42' } });
    watches[0].end();
    await until(() => watches.length === 2);
    assert.match(queries()[2], /&watch=true.*&resourceVersion=42$/);
  },
);

for (const [what, expire] of [
  [
    'an event',
    (response: ServerResponse) => (
      sendEvent(response, 'ERROR', { kind: 'Status', code: 410, message: 'too old' }),
      response.end()
    ),
  ],
  ['its status', (response: ServerResponse) => sendStatus(response, 410, 'too old')],
] as const) {
  test(
    `workload_names lists the newest version again when the watch has expired by ${what}`,
    { skip: noOpenssl },
    async (t) => {
      let lists = 0;
      let watches = 0;
      const { name, queries, log } = await openApiServer(t, {
        list: (response) => sendList(response, [podOf(++lists === 1 ? 'u' : 'v')], String(lists)),
        watch: (response) => void (++watches === 1 ? expire(response) : response.flushHeaders()),
      });
      assert.equal((await name({ 'k8s.pod.uid': 'v' }))['k8s.pod.name'], 'pod-v');
      await until(() => watches === 2);
      assert.deepEqual(
        queries().map((query) => query.replace(/^.*node-1/u, '').replace(/&watch.*Seconds=120/u, ' watch')),
        ['&resourceVersion=0', ' watch&resourceVersion=1', '', ' watch&resourceVersion=2'],
      );
      assert.equal(log.lines.length, 1);
    },
  );
}

test(
  'workload_names logs one line, waits for nothing, and recovers when the API server temporarily rejects requests',
  { skip: noOpenssl },
  async (t) => {
    let isAllowed = false;
    const { name, log, title } = await openApiServer(t, {
      list: (response) =>
        isAllowed ? sendList(response, [podOf('u')]) : sendStatus(response, 403, 'pods is forbidden'),
    });
    await until(() => log.lines.length > 1);
    assert.deepEqual(await name({ 'k8s.pod.uid': 'early' }), {});
    isAllowed = true;
    await until(() => log.lines.length > 2);
    assert.equal((await name({ 'k8s.pod.uid': 'u' }))['k8s.pod.name'], 'pod-u');
    assert.deepEqual(log.lines.slice(1), [
      `warn: Cannot get names from ${title}: HTTP 403 pods is forbidden; the role of this service account must allow list and watch of pods; continuing without these names, trying again`,
      `info: Recovered, getting names from ${title}`,
    ]);
  },
);

test(
  'workload_names logs one line if lists are allowed and watches are not',
  { skip: noOpenssl },
  async (t) => {
    let lists = 0;
    const { log } = await openApiServer(t, {
      list: (response) => (lists++, sendList(response, [])),
      watch: (response) => sendStatus(response, 403, 'cannot watch'),
    });
    await until(() => lists === 2);
    assert.equal(log.lines.length, 2);
  },
);

for (const [what, watch, cause] of [
  [
    'garbage',
    (response: ServerResponse) => void response.end('<html>'),
    /expected JSON objects, found something else/,
  ],
  [
    'an error',
    (response: ServerResponse) => (
      sendEvent(response, 'ERROR', { code: 500, message: 'no etcd' }),
      response.end()
    ),
    /expected an open watch, found its end with 500 no etcd/,
  ],
] as const) {
  test(`workload_names keeps its pods if a watch answers with ${what}`, { skip: noOpenssl }, async (t) => {
    const { name, log } = await openApiServer(t, { watch });
    await until(() => log.lines.length > 1);
    assert.match(log.lines[1], cause);
    assert.equal((await name({ 'k8s.pod.uid': 'u' }))['k8s.pod.name'], 'pod-u');
  });
}

test(
  'workload_names watches with the current token of the file when it was rotated',
  { skip: noOpenssl },
  async (t) => {
    const { server, watches, log } = await openApiServer(t);
    await until(() => watches.length === 1);
    server.token = 'second token';
    writeFileSync(server.tokenFile, server.token);
    watches[0].end();
    await until(() => watches.length === 2);
    assert.equal(log.lines.length, 1);
  },
);

test(
  'workload_names starts when it has the first list of pods, or after a time limit',
  { skip: noOpenssl },
  async (t) => {
    const lists: ServerResponse[] = [];
    const list = (response: ServerResponse) => void lists.push(response);
    const { processor, next } = await openApiServer(t, { list }, { max_wait: '1ms', start_wait: '60s' });
    let isStarted = false;
    const started = Promise.resolve(processor.start()).then(() => (isStarted = true));
    await until(() => lists.length === 1);
    assert.equal(isStarted, false);
    sendList(lists[0], [podOf('u')]);
    await started;
    // The pod is already known, so that no waiting time is needed.
    processor.consume(rowOf(seriesOf({ 'k8s.pod.uid': 'u' })));
    await until(() => next.tables.length === 1);
    assert.equal(resourcesOf(next.tables[0])[0]['k8s.pod.name'], 'pod-u');
    const slow = await openApiServer(t, { list }, { start_wait: '20ms' });
    await slow.processor.start();
  },
);

test('workload_names finds the API server by the environment of a pod, and reports what else it needs', (t) => {
  const names = ['KUBERNETES_SERVICE_HOST', 'NODE_NAME', 'K8S_NODE_NAME'];
  const before = names.map((name) => [name, process.env[name]] as const);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of names) delete process.env[name];
  process.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
  const { log } = runProcessor(t, { sources: ['auto'] });
  assert.ok(
    log.lines.some((line) =>
      line.startsWith(
        'warn: Cannot ask the API server for the pods of this node: expected the name of the node, found none; set node_name, or add',
      ),
    ),
  );
});
