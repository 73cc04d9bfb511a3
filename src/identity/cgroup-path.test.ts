import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '../model/series.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor, textOf } from '../testing/property.fixture.js';
import { parseCgroupPath } from './cgroup-path.js';
import { attributes, checkPaths, id, inner, uid, type Row } from './cgroup-path.fixture.js';

const uidInSlice = uid.replaceAll('-', '_');
const staticUid = 'a2acd1bccd50fd7790183537181f658e';
const docker = { container: id, runtime: 'docker' };
const containerd = { container: id, runtime: 'containerd' };
const ofUser = '/user.slice/user-1000.slice/user@1000.service';

const systemd: readonly Row[] = [
  ['/', {}],
  ['', {}],
  ['0::/init.scope', { unit: 'init.scope' }],
  ['0::/system.slice/cron.service', { unit: 'cron.service', slice: 'system.slice' }],
  ['1:name=systemd:/system.slice/ssh.service', { unit: 'ssh.service', slice: 'system.slice' }],
  [
    '/system.slice/system-getty.slice/getty@tty1.service',
    { unit: 'getty@tty1.service', slice: 'system-getty.slice' },
  ],
  [
    '/system.slice/system-systemd\\x2dfsck.slice/systemd-fsck@dev-disk-by\\x2duuid-1.service',
    { unit: 'systemd-fsck@dev-disk-by\\x2duuid-1.service', slice: 'system-systemd\\x2dfsck.slice' },
  ],
  ['/system.slice/run-user-1000.mount', { unit: 'run-user-1000.mount', slice: 'system.slice' }],
  [
    '/system.slice/systemd-journald-dev-log.socket',
    { unit: 'systemd-journald-dev-log.socket', slice: 'system.slice' },
  ],
  ['/user.slice/user-1000.slice/session-3.scope', { unit: 'session-3.scope', slice: 'user-1000.slice' }],
  [`${ofUser}/init.scope`, { unit: 'init.scope', slice: 'user-1000.slice', owner: '1000' }],
  [
    `${ofUser}/app.slice/app-gnome-org.gnome.Terminal-4711.scope`,
    { unit: 'app-gnome-org.gnome.Terminal-4711.scope', slice: 'app.slice', owner: '1000' },
  ],
  [
    `${ofUser}/app.slice/app-org.kde.konsole\\x2dabc.slice/tab(7).scope`,
    { unit: 'tab(7).scope', slice: 'app-org.kde.konsole\\x2dabc.slice', owner: '1000' },
  ],
  [ofUser, { unit: 'user@1000.service', slice: 'user-1000.slice' }],
  ['/system.slice/_cpu.service', { unit: 'cpu.service', slice: 'system.slice' }],
  [
    '/system.slice/postgresql@16-main.service/workers',
    { unit: 'postgresql@16-main.service', slice: 'system.slice' },
  ],
  ['0::/system.slice/gone.service (deleted)', { unit: 'gone.service', slice: 'system.slice' }],
  ['0::/../cron.service', { unit: 'cron.service' }],
  ['/kubepods.slice', { slice: 'kubepods.slice' }],
];

const qos = '/kubepods.slice/kubepods-burstable.slice';
const burstable = `kubepods-burstable-pod${uidInSlice}.slice`;
const inKind = 'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice';

const pods: readonly Row[] = [
  [`/kubepods/besteffort/pod${uid}/${id}`, { pod: uid, container: id }],
  [`/kubepods/burstable/pod${uid}/${id}`, { pod: uid, container: id }],
  [`/kubepods/pod${uid}/${id}`, { pod: uid, container: id }],
  [`/kubepods/pod${uid}`, { pod: uid }],
  [`/kubepods/burstable/pod${staticUid}/${id}`, { pod: staticUid, container: id }],
  [`/kubepods/besteffort/pod${uid}/crio-${id}`, { pod: uid, container: id, runtime: 'cri-o' }],
  [`/kubepods/burstable/pod${uid}/kata_${id}`, { pod: uid, container: id, runtime: 'kata' }],
  [`/kata_overhead/${id}`, { container: id, runtime: 'kata' }],
  [
    `${qos}/${burstable}/cri-containerd-${id}.scope`,
    { pod: uid, ...containerd, unit: `cri-containerd-${id}.scope`, slice: burstable },
  ],
  [
    `/kubepods.slice/kubepods-pod${uidInSlice}.slice/cri-containerd-${id}.scope`,
    { pod: uid, ...containerd, unit: `cri-containerd-${id}.scope`, slice: `kubepods-pod${uidInSlice}.slice` },
  ],
  [
    `${qos}/${burstable}/crio-${id}.scope`,
    { pod: uid, container: id, runtime: 'cri-o', unit: `crio-${id}.scope`, slice: burstable },
  ],
  [
    `${qos}/${burstable}/crio-${id}.scope/container`,
    { pod: uid, container: id, runtime: 'cri-o', unit: `crio-${id}.scope`, slice: burstable },
  ],
  [
    `${qos}/${burstable}/crio-conmon-${id}.scope`,
    { pod: uid, unit: `crio-conmon-${id}.scope`, slice: burstable },
  ],
  [
    `${qos}/${burstable}/docker-${id}.scope`,
    { pod: uid, ...docker, unit: `docker-${id}.scope`, slice: burstable },
  ],
  [
    `${qos}/kubepods-burstable-pod${staticUid}.slice/docker-${id}.scope`,
    {
      pod: staticUid,
      ...docker,
      unit: `docker-${id}.scope`,
      slice: `kubepods-burstable-pod${staticUid}.slice`,
    },
  ],
  [`/kubepods-besteffort-pod${uidInSlice}.slice:cri-containerd:${id}`, { pod: uid, ...containerd }],
  [
    `11:devices:/system.slice/containerd.service/kubepods-pod${uidInSlice}.slice:cri-containerd:${id}`,
    { pod: uid, ...containerd, unit: 'containerd.service', slice: 'system.slice' },
  ],
  [
    `/${inKind}/kubelet-kubepods-besteffort-pod${uidInSlice}.slice/cri-containerd-${id}.scope`,
    {
      pod: uid,
      ...containerd,
      unit: `cri-containerd-${id}.scope`,
      slice: `kubelet-kubepods-besteffort-pod${uidInSlice}.slice`,
    },
  ],
  [
    `/docker/${inner}/${inKind}/kubelet-kubepods-besteffort-pod${uidInSlice}.slice/cri-containerd-${id}.scope`,
    {
      pod: uid,
      ...containerd,
      unit: `cri-containerd-${id}.scope`,
      slice: `kubelet-kubepods-besteffort-pod${uidInSlice}.slice`,
    },
  ],
  [`/docker/${inner}/kubelet/kubepods/besteffort/pod${uid}/${id}`, { pod: uid, container: id }],
  [
    `/system.slice/docker-${id}.scope/kubelet.slice/kubelet.service`,
    { ...docker, unit: 'kubelet.service', slice: 'kubelet.slice' },
  ],
  [`/kubepods/burstable/pod${uid}/${inner}/docker/${id}`, { pod: uid, ...docker }],
];

test('parseCgroupPath finds systemd units, of the system and of users', () => checkPaths(systemd));
test('parseCgroupPath finds pods of every class, with both drivers of the kubelet', () => checkPaths(pods));

test('parseCgroupPath takes nothing for an id that is none', () => {
  const uidOfUpperCase = uid.toUpperCase();
  checkPaths([
    ['/docker', {}],
    ['/app/docker/cache', {}],
    ['/system.slice/app.service/docker/work', { unit: 'app.service', slice: 'system.slice' }],
    ['/system.slice/app.service/lxc/work', { unit: 'app.service', slice: 'system.slice' }],
    [`/docker/${id.slice(1)}`, {}],
    [`/docker/${id}0`, {}],
    [`/docker/${id.toUpperCase()}`, {}],
    [
      `/system.slice/docker-${id.slice(1)}.scope`,
      { unit: `docker-${id.slice(1)}.scope`, slice: 'system.slice' },
    ],
    [`/constructor-${id}`, {}],
    [`/constructor/${id}`, { container: id }],
    ['/app/jvifp9a6b1lxa1kuw8bwfcovf', {}],
    [`/kubepods/pod${uidOfUpperCase}`, {}],
    [`/pod${uid}`, {}],
    ['/kubepods/podinfo', {}],
    ['/job_1/step_2/task_3', {}],
    ['/system.slice/slurmstepd.scope/job_x/step_', { unit: 'slurmstepd.scope', slice: 'system.slice' }],
    ['/mesos/work', {}],
    ['/garden/rose', {}],
    ['/oar/ann', {}],
    ['/pbs_jobs.service/jobid/soon', { unit: 'pbs_jobs.service' }],
    ['/machine-.scope', { unit: 'machine-.scope' }],
    ['/.service/.slice', {}],
    ['no path at all', {}],
    ['::', {}],
  ]);
});

test('parseCgroupPath looks only so deep', () => {
  assert.deepEqual(parseCgroupPath(`${'/a'.repeat(2000)}/docker/${id}`), {});
});

const piece = fc.oneof(
  fc.constantFrom(
    'docker',
    'lxc',
    'kubepods',
    `pod${uid}`,
    id,
    'a.slice',
    'b.service',
    'slurm',
    'job_1',
    'step_1',
  ),
  textOf('abcdef0123456789-_.:\\x/ \n\u0000\uFFFD', 80),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

test('parseCgroupPath gives texts that the path has, whatever it is', () => {
  const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('/')}`);
  const known = new Set(Object.values(attributes));
  holdsFor(path, (text) => {
    const found: Attributes = parseCgroupPath(text);
    for (const [name, value] of Object.entries(found)) {
      assert.ok(known.has(name));
      assert.ok(typeof value === 'string' && value !== '');
      if (name === 'container.id' || name.endsWith('.job.id')) assert.ok(!value.includes('/'));
    }
    assert.deepEqual(parseCgroupPath(`0::${text}`), found);
    assert.deepEqual(parseCgroupPath(text), found);
  });
});

test('parseCgroupPath gives an inner container, whatever is above it, without anything of the outer ones', () => {
  holdsFor(fc.array(piece, { maxLength: 6 }), (pieces) => {
    const outer = `/${pieces.map((each) => each.replaceAll('/', '')).join('/')}`;
    const { 'container.id': found, 'container.name': name } = parseCgroupPath(`${outer}/docker/${inner}`);
    assert.equal(found, inner);
    assert.equal(name, undefined);
  });
});
