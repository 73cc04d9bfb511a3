import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { until } from '../../src/testing/until.js';
import { Engine } from './engine.js';
import { askedIds, json, openEngine, run, web } from './engine.fixture.js';
import { containerId, resourcesOf, rowOf, seriesOf } from './names.fixture.js';

test('workload_names names a container, its image and chosen labels through the Docker API', async (t) => {
  const { socket, urls } = await openEngine(t, (_, response) => json(response, [web]));
  const { processor, next } = run(t, socket, { labels: ['team', 'absent'] });
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id, 'container.runtime.name': 'docker' })));
  await until(() => next.tables.length > 0);
  assert.deepEqual(resourcesOf(next.tables[0]), [
    {
      'container.id': web.Id,
      'container.runtime.name': 'docker',
      'container.name': 'web',
      'container.image.name': 'registry:5000/team/web',
      'container.image.tags': '1.2',
      'container.label.team': 'a',
    },
  ]);
  assert.deepEqual(
    urls.map(({ pathname }) => pathname),
    ['/containers/json'],
  );
  assert.deepEqual(askedIds(urls[0]), [web.Id]);
});

test('workload_names requests the image of a container whose tag has moved', async (t) => {
  const { socket } = await openEngine(t, ({ pathname }, response) =>
    pathname === '/containers/json'
      ? json(response, [{ ...web, Image: `sha256:${'0'.repeat(64)}` }])
      : json(response, { Config: { Image: 'web@sha256:0' } }),
  );
  const { processor, next } = run(t, socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  await until(() => next.tables.length > 0);
  assert.equal(resourcesOf(next.tables[0])[0]?.['container.image.name'], 'web');
});

test('workload_names keeps the name of a container that vanishes before its image is requested', async (t) => {
  const { socket } = await openEngine(t, ({ pathname }, response) => {
    if (pathname === '/containers/json') return json(response, [{ ...web, Image: 'abcdefabcdef' }]);
    response.statusCode = 404;
    json(response, { message: 'No such container' });
  });
  const { processor, next, log } = run(t, socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  await until(() => next.tables.length > 0);
  assert.deepEqual(resourcesOf(next.tables[0]), [{ 'container.id': web.Id, 'container.name': 'web' }]);
  assert.ok(log.lines.every((line) => !line.startsWith('warn')));
});

test('workload_names forwards without names if the engine does not know the container', async (t) => {
  const { socket, urls } = await openEngine(t, (_, response) => json(response, []));
  const { processor, next } = run(t, socket);
  const series = seriesOf({ 'container.id': web.Id });
  processor.consume(rowOf(series));
  await until(() => next.tables.length > 0);
  assert.equal(next.tables[0].series[0], series);
  assert.equal(urls.length, 1);
});

test('workload_names names a thousand containers at once, with one request at a time', async (t) => {
  const { socket, urls, open } = await openEngine(t, (url, response) =>
    json(
      response,
      askedIds(url).map((Id) => ({ Id, Names: [`/name-${Id.slice(-3)}`], Image: 'web' })),
    ),
  );
  const { processor, next } = run(t, socket, { max_wait: '60s' });
  const series = Array.from({ length: 1000 }, (_, i) => seriesOf({ 'container.id': containerId(i) }));
  processor.consume(rowOf(...series));
  await until(() => next.tables.length > 0);
  const names = resourcesOf(next.tables[0]).map((attributes) => attributes['container.name']);
  assert.deepEqual(new Set(names).size, 1000);
  assert.deepEqual([urls.length, open.most], [10, 1]);
});

test('workload_names leaves containers of Kubernetes runtimes to other sources', async (t) => {
  const { socket, urls } = await openEngine(t, (_, response) => json(response, [web]));
  const { processor, next } = run(t, socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id, 'container.runtime.name': 'containerd' })));
  await until(() => next.tables.length === 1);
  assert.equal(urls.length, 0);
});

/** The cgroup of the container in the slice of a user. */
function pathOf(uid: number): string {
  return `/user.slice/user-${uid}.slice/user@${uid}.service/app.slice/docker-${web.Id}.scope`;
}

test("workload_names accepts names from a user's engine only for containers in that user's slice", () => {
  const options = { product: 'Docker', socket: '/run/user/1000/docker.sock', labels: [], timeoutMs: 1 };
  const cgroups = [
    { 'linux.cgroup.path': pathOf(1000) },
    { 'process.linux.cgroup': `0::${pathOf(1000)}` },
    { 'process.linux.cgroup': `0::/../..${pathOf(1000)}` },
    { 'linux.cgroup.path': pathOf(1001) },
    { 'linux.cgroup.path': `/user.slice/user-1001.slice${pathOf(1000)}` },
    { 'linux.cgroup.path': `/system.slice/docker-${web.Id}.scope` },
    {},
  ];
  const covered = (ownerUid: string | undefined) => {
    const engine = new Engine({ ...options, ownerUid });
    return cgroups.map((resource) =>
      engine.covers({ key: '', attribute: 'container.id', id: web.Id, resource }),
    );
  };
  assert.deepEqual(covered('1000'), [true, true, true, false, false, false, false]);
  assert.ok(covered(undefined).every(Boolean));
});

test('workload_names counts the results of lookups as own telemetry', async (t) => {
  const { socket } = await openEngine(t, (url, response) =>
    json(
      response,
      askedIds(url)
        .filter((id) => id !== containerId(3))
        .map((Id) => ({ Id, Names: ['/web'], Image: 'web' })),
    ),
  );
  const telemetry = createMeterReader();
  const { processor, next } = run(t, socket, {}, { meter: telemetry.meter });
  const ids = [1, 2, 3].map((number) => ({ 'container.id': containerId(number) }));
  processor.consume(rowOf(...[...ids, { 'k8s.pod.uid': 'u' }].map((attributes) => seriesOf(attributes))));
  await until(() => next.tables.length > 0);
  const counted = await telemetry.read();
  const countOf = (outcome: string) => counted[`joulemetry.workload_names.ids{test,${outcome}}`];
  assert.deepEqual(['named', 'unknown', 'unanswered'].map(countOf), [2, 1, 1]);
});
