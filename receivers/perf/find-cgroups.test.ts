import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { schema } from './config.js';
import { CgroupFinder, createPathPattern, createSelection } from './find-cgroups.js';

const paths = [
  '/',
  '/system.slice',
  '/system.slice/ssh.service',
  '/system.slice/ssh.service/worker',
  '/user.slice/a+b',
];

test('createPathPattern matches a name or a part of one with *, and any number of names with **', () => {
  const select = (pattern: string) => paths.filter((path) => createPathPattern(pattern).test(path));
  assert.deepEqual(select('/'), ['/']);
  assert.deepEqual(select('system.slice/ssh.service/'), ['/system.slice/ssh.service']);
  assert.deepEqual(select('/*'), ['/system.slice']);
  assert.deepEqual(select('/*.slice/*'), ['/system.slice/ssh.service', '/user.slice/a+b']);
  assert.deepEqual(select('/user.slice/a+*'), ['/user.slice/a+b']);
  assert.deepEqual(select('/**/*.service'), ['/system.slice/ssh.service']);
  assert.deepEqual(select('/system.slice/**'), paths.slice(1, 4));
  assert.deepEqual(select('/system.slice/s.h.service'), []);
});

const id = 'a'.repeat(64);
const container = `/system.slice/docker-${id}.scope`;
const job = '/system.slice/slurmstepd.scope/job_7';

test('createSelection selects whole containers and whole jobs, without nested cgroups', () => {
  const all = [...paths, container, `${container}/init`, job, `${job}/step_0`, `${job}/step_0/user/task_0`];
  const select = (selection: { containers: boolean; jobs: boolean }) =>
    all.filter(createSelection({ cgroups: [], ...selection }));
  assert.deepEqual(select({ containers: true, jobs: false }), [container]);
  assert.deepEqual(select({ containers: false, jobs: true }), [job]);
  assert.deepEqual(select({ containers: false, jobs: false }), []);
});

test('CgroupFinder finds cgroups as they are created and removed, and the attributes in their paths', async (t) => {
  const cgroupfs = createFolder();
  writeFileSync(join(cgroupfs, 'cgroup.controllers'), '');
  const log = createLogCollector();
  const config = parseSettings(schema, { cgroupfs, cgroups: ['/job/*'], containers: true });
  const finder = new CgroupFinder(config, { log, host: { attributes: { 'host.name': 'here' } } });
  t.after(() => finder.close());
  assert.deepEqual(await finder.find(), []);
  const folder = join(cgroupfs, container);
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(cgroupfs, 'job/a'), { recursive: true });
  const [first, second] = await finder.find();
  assert.deepEqual(first, {
    key: first?.key,
    name: `cgroup ${container}`,
    target: { kind: 'cgroup', folder },
    resource: {
      attributes: {
        'host.name': 'here',
        'linux.cgroup.path': container,
        'container.id': id,
        'container.runtime.name': 'docker',
        'systemd.slice': 'system.slice',
        'systemd.unit': `docker-${id}.scope`,
      },
    },
  });
  assert.deepEqual(await finder.find(), [first, second]);
  rmdirSync(folder);
  // A file system other than cgroupfs may reuse the inode for the next folder.
  assert.deepEqual(await finder.find(), [second]);
  mkdirSync(folder);
  const again = await finder.find();
  assert.deepEqual(again.map(({ name }) => name).toSorted(), ['cgroup /job/a', first?.name]);
  assert.ok(again.some((each) => each === second));
  assert.ok(again.every(({ key }) => key !== first?.key));
  assert.deepEqual(log.lines, []);
});
