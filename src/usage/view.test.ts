import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '../model/series.js';
import { View } from './view.js';
import { findViews } from './views.js';

/** The published attributes of a workload's group, on a machine with the attribute `host`. */
function groupOf(view: string, attributes: Attributes): Attributes {
  const [definition] = findViews({ views: [view], custom_views: [] });
  const created = new View(definition, 0, { common: { 'service.name': 'joulemetry' } });
  created.machine = { host: 'a' };
  const group = created.join({ attributes: { host: 'a', ...attributes } }, 0);
  const { host, ...own } = created.resourceOf(group).attributes;
  assert.equal(host, 'a');
  return own;
}

test('View publishes the attributes that define a group, and derived ones', () => {
  const process = {
    'process.pid': 7,
    'process.executable.name': 'python3.11',
    'process.owner': 'ann',
    'process.linux.cgroup': '0::/system.slice/docker-ab.scope',
    'systemd.unit': 'docker-ab.scope',
    'systemd.slice': 'system.slice',
    'container.id': 'ab',
    'container.name': 'trainer',
    'k8s.pod.uid': 'u1',
    'k8s.pod.name': 'trainer-0',
    'k8s.pod.label.app': 'train',
    'k8s.namespace.name': 'research',
    'service.name': 'train',
    'vm.name': 'vm1',
  };
  const pod = {
    'k8s.pod.uid': 'u1',
    'k8s.pod.name': 'trainer-0',
    'k8s.pod.label.app': 'train',
    'k8s.namespace.name': 'research',
  };
  const container = { 'container.id': 'ab', 'container.name': 'trainer', ...pod };
  const unit = { 'systemd.unit': 'docker-ab.scope', ...container };
  assert.deepEqual(groupOf('program', process), { 'process.executable.name': 'python3.11', ...unit });
  assert.deepEqual(groupOf('unit', process), { 'systemd.slice': 'system.slice', ...unit });
  assert.deepEqual(groupOf('cgroup', process), {
    'linux.cgroup.path': '/system.slice/docker-ab.scope',
    'systemd.slice': 'system.slice',
    ...unit,
  });
  assert.deepEqual(groupOf('container', process), container);
  assert.deepEqual(groupOf('pod', process), pod);
  assert.deepEqual(groupOf('namespace', process), { 'k8s.namespace.name': 'research' });
  assert.deepEqual(groupOf('user', process), { 'process.owner': 'ann' });
  assert.deepEqual(groupOf('service', process), { 'service.name': 'train' });
  assert.deepEqual(groupOf('vm', process), { 'vm.name': 'vm1' });
  assert.deepEqual(groupOf('process', process), process);
});

test('View has one group, none, for all workloads without the defining attributes', () => {
  const process = { 'process.executable.name': 'sh', 'systemd.slice': 'a.slice', 'container.name': '' };
  const names = {
    unit: 'systemd.unit',
    container: 'container.id',
    pod: 'k8s.pod.uid',
    namespace: 'k8s.namespace.name',
    job: 'slurm.job.id',
    user: 'process.owner',
    service: 'service.name',
    vm: 'vm.name',
    cgroup: 'linux.cgroup.path',
  };
  for (const [view, name] of Object.entries(names))
    assert.deepEqual(groupOf(view, process), { [name]: 'none' });
  assert.deepEqual(groupOf('program', {}), { 'process.executable.name': 'none' });
  assert.deepEqual(groupOf('service', { 'service.name': 'joulemetry' }), { 'service.name': 'none' });
});

test("View distinguishes units of the same name of two users' managers", () => {
  const own = { 'systemd.unit': 'foo.service', 'systemd.slice': 'app.slice', 'systemd.owner.uid': '1000' };
  assert.deepEqual(groupOf('unit', own), own);
  const program = { 'process.executable.name': 'foo', ...own };
  const { 'systemd.slice': slice, ...withoutSlice } = program;
  assert.equal(slice, 'app.slice');
  assert.deepEqual(groupOf('program', program), withoutSlice);
});

test('View groups by the first of several attributes that a workload has', () => {
  const job = { 'slurm.job.name': 'train', 'slurm.job.user': 'ann' };
  assert.deepEqual(groupOf('job', { 'slurm.job.id': '7', ...job }), { 'slurm.job.id': '7', ...job });
  for (const name of ['oar.job.id', 'pbs.job.id', 'flux.job.id']) {
    assert.deepEqual(groupOf('job', { [name]: '7' }), { [name]: '7' });
  }
  assert.deepEqual(groupOf('container', { 'container.name': 'lxc1' }), { 'container.name': 'lxc1' });
});

test('View publishes the path of a cgroup from either attribute, and kernel threads without their CPU', () => {
  const path = { 'linux.cgroup.path': '/a:b' };
  assert.deepEqual(groupOf('cgroup', path), path);
  assert.deepEqual(groupOf('cgroup', { 'process.linux.cgroup': '4:cpu,cpuacct:/a:b' }), path);
  assert.deepEqual(
    groupOf('program', { 'process.executable.name': 'kworker/0:1', 'systemd.unit': 'kernel' }),
    {
      'process.executable.name': 'kworker',
      'systemd.unit': 'kernel',
    },
  );
});

test('View keeps only attributes that all workloads of a group had when it was first published', () => {
  const [definition] = findViews({ views: ['container'], custom_views: [] });
  const view = new View(definition, 0);
  const join = (image: string, name: string) =>
    view.join(
      { attributes: { 'container.id': 'c', 'container.image.name': image, 'container.name': name } },
      0,
    );
  const group = join('redis', 'cache');
  assert.equal(join('nginx', 'cache'), group);
  const { attributes } = view.resourceOf(group);
  assert.deepEqual(attributes, { 'container.id': 'c', 'container.name': 'cache' });
  join('redis', 'store');
  assert.equal(view.resourceOf(group).attributes, attributes);
});

test('View reuses the attributes of a group whose workloads all have the same', () => {
  const [definition] = findViews({ views: ['process'], custom_views: [] });
  const view = new View(definition, 0);
  const attributes = { 'process.pid': 7, 'process.executable.name': 'make' };
  const group = view.join({ attributes }, 0);
  assert.equal(group.shared, attributes);
  view.leave(group, 1);
  assert.equal(view.join({ attributes: { ...attributes } }, 1), group);
  assert.equal(group.shared, attributes);
});

test('View gives an equal process another group, when that of the first has expired', () => {
  const [definition] = findViews({ views: ['process'], custom_views: [] });
  const view = new View(definition, 0);
  const join = () => view.join({ attributes: { 'process.pid': 7 } }, 0);
  const group = join();
  view.leave(group, 1);
  assert.equal(join(), group);
  assert.deepEqual(view.takeExpired(2), []);
  view.leave(group, 3);
  assert.deepEqual(view.takeExpired(3), [group]);
  assert.notEqual(join(), group);
});

test('View shows a group from the boundary after it was charged the minimum energy, which is a change', () => {
  const [definition] = findViews({ views: ['user'], custom_views: [] });
  const view = new View(definition, 0, { minNj: 5 });
  const group = view.join({ attributes: { 'process.owner': 'ann' } }, 0);
  assert.notEqual(view.route(group, 4), group);
  view.weigh(group, 1);
  view.route(group, 1);
  assert.deepEqual([group.isShown, view.changes], [false, 0]);
  view.weigh(group, 1);
  assert.deepEqual([group.isShown, view.changes], [true, 1]);
  assert.equal(view.route(group, 1), group);
});
