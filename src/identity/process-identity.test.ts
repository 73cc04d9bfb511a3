import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcessStat } from '../linux/process-stat.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { createFakeProcfs, type FakeProcfs } from './fake-procfs.fixture.js';
import { IdentityReader } from './process-identity.js';
import { fake, Looks } from './process-looks.fixture.js';

/** As where another user's program may not be looked at. */
function hideExecutable(procfs: FakeProcfs, codeKib: number): void {
  rmSync(join(procfs.path, '7', 'exe'));
  procfs.writeFile(7, 'status', `Name:\tx\nVmExe:\t    ${codeKib} kB\n`);
}

test('IdentityReader names a program by its file, and the main thread apart', () => {
  const { looks } = fake({ comm: 'MainThread', exe: '/opt/node v24/bin/node' });
  const attributes = looks.look();
  assert.equal(attributes['process.executable.name'], 'node');
  assert.equal(attributes['process.executable.path'], '/opt/node v24/bin/node');
  assert.equal(attributes['process.thread.name'], 'MainThread');
});

test('IdentityReader keeps the attributes of a process that changes its thread name and arguments', () => {
  const { procfs, looks } = fake({ comm: 'node', exe: '/usr/bin/node' });
  procfs.writeFile(7, 'cmdline', 'node\0server.js\0');
  const first = looks.look();
  assert.equal(first['process.command_line'], 'node server.js');
  for (const comm of ['MainThread', 'npm ci', 'worker 1', '']) {
    procfs.write(7, { comm, exe: '/usr/bin/node', parentPid: 99 });
    procfs.writeFile(7, 'cmdline', `${comm}\0`);
    assert.equal(looks.look(), first);
  }
});

test('IdentityReader gives new attributes to a process that runs another program, also under the same name', () => {
  const { procfs, looks } = fake({ comm: 'sh', exe: '/usr/bin/dash' });
  assert.equal(looks.name, 'dash');
  procfs.write(7, { comm: 'python3', exe: '/usr/bin/python3.12' });
  assert.equal(looks.name, 'python3.12');
  procfs.write(7, { comm: 'python3', exe: '/opt/venv/bin/python3.12' });
  assert.equal(looks.look()['process.executable.path'], '/opt/venv/bin/python3.12');
});

test('IdentityReader keeps the cgroup of a process that runs another program and ends before its cgroup is read', () => {
  const { procfs, looks } = fake({ comm: 'sh', exe: '/usr/bin/dash', cgroup: '/builds' });
  const { 'process.owner': owner } = looks.look();
  procfs.write(7, { comm: 'cc1', exe: '/usr/lib/cc1' });
  rmSync(join(procfs.path, '7', 'cgroup'));
  const { 'process.executable.name': name, ...others } = looks.look();
  assert.deepEqual(
    [name, others['process.linux.cgroup'], others['process.owner']],
    ['cc1', '0::/builds', owner],
  );
});

test('IdentityReader goes by the thread name, where the executable may not be read', () => {
  const { procfs, looks } = fake({ comm: 'sshd' });
  hideExecutable(procfs, 500);
  const first = looks.look();
  assert.equal(first['process.executable.name'], 'sshd');
  assert.equal(first['process.executable.path'], undefined);
  // It renames itself: the code stays.
  procfs.write(7, { comm: 'sshd-session' });
  hideExecutable(procfs, 500);
  assert.equal(looks.look(), first);
  procfs.write(7, { comm: 'bash' });
  hideExecutable(procfs, 900);
  assert.equal(looks.name, 'bash');
});

test('IdentityReader takes a process that gains privileges for the program that does so', () => {
  const { procfs, looks } = fake({ comm: 'bash', exe: '/usr/bin/bash' });
  assert.equal(looks.name, 'bash');
  procfs.write(7, { comm: 'sudo' });
  hideExecutable(procfs, 200);
  assert.equal(looks.name, 'sudo');
});

test('IdentityReader keeps the attributes of a process that is about to end', () => {
  const { procfs, looks } = fake({ comm: 'gcc', exe: '/usr/bin/gcc' });
  const first = looks.look();
  rmSync(join(procfs.path, '7', 'exe'));
  rmSync(join(procfs.path, '7', 'cgroup'));
  assert.equal(looks.look(), first);
  procfs.write(7, { comm: 'gcc', state: 'Z' });
  assert.equal(looks.look(), first);
});

test('IdentityReader follows a process to another cgroup, under its first thread name', () => {
  const { procfs, looks } = fake({ comm: 'node', cgroup: '/a' });
  assert.equal(looks.look()['process.linux.cgroup'], '0::/a');
  procfs.write(7, { comm: 'npm ci', cgroup: '/b' });
  const moved = looks.look();
  assert.equal(moved['process.linux.cgroup'], '0::/b');
  assert.equal(moved['process.thread.name'], 'node');
});

test('IdentityReader reports what the cgroup of a process says, of a new one after a move, nothing of the old one', () => {
  const id = 'e73c55f3e7f5b6a9cfc32a89bf13e44d348bcc4fa7b079f804d61fb1532ddbe5';
  const { procfs, looks } = fake({ comm: 'node', cgroup: `/docker/${id}` });
  assert.equal(looks.look()['container.id'], id);
  assert.equal(looks.look()['systemd.unit'], undefined);
  procfs.write(7, { comm: 'node', cgroup: '/system.slice/cron.service' });
  const moved = looks.look();
  assert.equal(moved['systemd.unit'], 'cron.service');
  assert.ok(!('container.id' in moved));
});

test('IdentityReader gives kernel threads the unit kernel, unless they work for another one', () => {
  const { procfs, looks } = fake({ comm: 'kworker/0:1', flags: 0x20_0000 });
  assert.equal(looks.look()['systemd.unit'], 'kernel');
  procfs.write(8, {
    comm: 'vhost-7',
    flags: 0x20_0000,
    cgroup: '/machine.slice/machine-qemu\\x2d1\\x2da.scope',
  });
  const vhost = new Looks(procfs.path, 8).look();
  assert.equal(vhost['vm.name'], 'a');
  assert.equal(vhost['systemd.unit'], 'machine-qemu\\x2d1\\x2da.scope');
});

test('IdentityReader names a program that runs from memory by its label', () => {
  assert.equal(fake({ exe: '/memfd:runc_cloned:/proc/self/exe (deleted)' }).looks.name, 'memfd:runc_cloned');
  assert.equal(fake({ exe: '/memfd: (deleted)' }).looks.name, 'memfd');
});

test('IdentityReader knows a program that was replaced, removed or renamed on disk for the same', async (t) => {
  const folder = createFolder();
  const program = join(folder, 'prog (deleted)');
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['60'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const looks = new Looks('/proc', child.pid ?? 0);
  await until(() => looks.name === 'prog (deleted)');
  const first = looks.look();
  renameSync(program, join(folder, 'moved'));
  assert.equal(looks.look(), first);
  writeFileSync(program, 'another file');
  unlinkSync(join(folder, 'moved'));
  assert.equal(looks.look(), first);
});

test('IdentityReader knows a real process that changes its title, in every run alike', async (t) => {
  const script = `const titles = ['one', 'two two', 'three'];
    setInterval(() => { process.title = titles[0]; titles.push(titles.shift()); }, 5);`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const looks = new Looks('/proc', child.pid ?? 0);
  await until(() => looks.name === 'node');
  const first = looks.look();
  const seen = new Set<string>();
  await until(() => {
    assert.equal(looks.look(), first);
    return seen.add(spawnSync('cat', [`/proc/${child.pid}/comm`], { encoding: 'utf8' }).stdout).size >= 3;
  });
  const {
    'process.thread.name': _,
    'process.command_line': __,
    ...stable
  } = new Looks('/proc', child.pid ?? 0).look();
  assert.deepEqual({ ...first, ...stable }, first);
});

test('IdentityReader gives replacement characters for bytes that are no text', () => {
  const { procfs, looks } = fake({});
  rmSync(join(procfs.path, '7', 'exe'));
  symlinkSync(Buffer.from([0x2f, 0xff, 0x6e]), join(procfs.path, '7', 'exe'));
  assert.equal(looks.name, '\uFFFDn');
});

test('IdentityReader has one object for the program and one for the thread name of several processes', () => {
  const procfs = createFakeProcfs();
  for (const pid of [7, 8]) procfs.write(pid, { comm: 'sleeper', exe: '/usr/bin/sleep' });
  const options = { procfs: procfs.path, passwd: '/etc/passwd', hasCommandLine: false, service: false };
  const reader = new IdentityReader(options);
  const [one, other] = [7, 8].map((pid) => {
    const stat = new ProcessStat();
    assert.ok(stat.read(`${procfs.path}/${pid}`));
    return reader.read(pid, stat);
  });
  assert.equal(one?.attributes['process.executable.path'], '/usr/bin/sleep');
  assert.equal(one.executable, other?.executable);
  assert.equal(one.threadName, other?.threadName);
});
