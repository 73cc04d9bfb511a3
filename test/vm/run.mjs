// node test/vm/run.mjs KERNEL [QEMU-OPTION...] -- COMMAND: runs a shell command under another kernel, in a virtual machine.
// CONTRIBUTING.md says what it needs.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { leaveUnlessDone, runCommand } from '../../run-command.mjs';

/** What the machine needs to reach the files of the host. */
const neededModules = new Set(['virtio_pci', '9pnet_virtio', '9p', 'overlay']);
const busybox = process.env.JOULEMETRY_TEST_BUSYBOX ?? '/bin/busybox';

const separator = process.argv.indexOf('--');
const [kernel, ...options] = process.argv.slice(2, Math.max(separator, 2));
const command = process.argv.slice(separator + 1).join(' ');
if (kernel === undefined || command === '') {
  console.error('Cannot start: expected KERNEL [QEMU-OPTION...] -- COMMAND');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'joulemetry-vm-'));
try {
  const unpacked = unpackKernel(kernel);
  const modules = join(unpacked, 'lib', 'modules');
  const [version = ''] = readdirSync(modules);
  writeInitramfs(join(modules, version));
  await runMachine(join(unpacked, 'boot', `vmlinuz-${version}`), join(modules, version));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The folder of an unpacked kernel package: `file`, or where its content was unpacked to. */
function unpackKernel(file) {
  if (!file.endsWith('.deb')) return file;
  const target = join(folder, basename(file, '.deb'));
  execFileSync('dpkg-deb', ['-x', file, target]);
  const [version] = readdirSync(join(target, 'lib', 'modules'));
  execFileSync('depmod', ['-b', target, version], { stdio: ['ignore', 'ignore', 'inherit'] });
  return target;
}

/** Writes `initramfs`: busybox, the needed modules in the order of their dependencies, and the command. */
function writeInitramfs(modules) {
  const content = join(folder, 'content');
  mkdirSync(join(content, 'bin'), { recursive: true });
  mkdirSync(join(content, 'modules'));
  cpSync(busybox, join(content, 'bin', 'busybox'));
  for (const file of ['init.sh', 'in-root.sh']) {
    const name = file === 'init.sh' ? 'init' : file;
    cpSync(new URL(file, import.meta.url), join(content, name));
  }
  execFileSync('chmod', ['755', join(content, 'init')]);
  writeFileSync(join(content, 'command'), command);
  writeFileSync(join(content, 'directory'), process.cwd());
  const names = orderModules(modules).map((path) =>
    copyModule(join(modules, path), join(content, 'modules')),
  );
  writeFileSync(join(content, 'modules', 'order'), names.map((name) => `${name}\n`).join(''));
  const list = execFileSync('find', ['.', '-mindepth', '1'], { cwd: content });
  const archive = spawnSync(busybox, ['cpio', '-o', '-H', 'newc'], {
    cwd: content,
    input: list,
    maxBuffer: 2 ** 28,
  });
  writeFileSync(join(folder, 'initramfs'), archive.stdout);
}

/** The files of the needed modules, each after those that it depends on; built-in modules are left out. */
function orderModules(modules) {
  const dependencies = new Map();
  for (const line of readFileSync(join(modules, 'modules.dep'), 'utf8').trim().split('\n')) {
    const [path, ...needed] = line.split(/:? /);
    dependencies.set(
      path.replace(/:$/, ''),
      needed.filter((file) => file !== ''),
    );
  }
  const wanted = [...dependencies].filter(([path]) => neededModules.has(nameModule(path)));
  return [...new Set(wanted.flatMap(([path, needed]) => needed.toReversed().concat(path)))];
}

/** `kernel/net/9p/9pnet_virtio.ko.xz` is `9pnet_virtio`. */
function nameModule(path) {
  return basename(path)
    .replace(/\.ko.*/, '')
    .replaceAll('-', '_');
}

/** Copies a module, decompressed. */
function copyModule(path, target) {
  const name = basename(path).replace(/\.ko.*/, '.ko');
  const content = path.endsWith('.xz')
    ? execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 28 })
    : readFileSync(path);
  writeFileSync(join(target, name), content);
  return name;
}

/** Boots, and exits with the status of the command. */
async function runMachine(image, modules) {
  const result = await runCommand(
    'qemu-system-x86_64',
    [
      '-nodefaults -no-user-config -display none -serial stdio -no-reboot -cpu max -smp 2 -m 2G'.split(' '),
      ['-kernel', image, '-initrd', join(folder, 'initramfs')],
      ['-append', 'console=ttyS0 quiet loglevel=5 panic=-1 psi=1'],
      shareFolder('root', '/'),
      shareFolder('modules', modules),
      ['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
      options,
    ].flat(),
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  rmSync(folder, { recursive: true, force: true });
  // The device for debugging shifts the status; a machine that ended without it has panicked or was switched off.
  const status = result.status % 2 === 1 ? (result.status - 1) / 2 : 1;
  leaveUnlessDone({ ...result, status });
}

function shareFolder(tag, path) {
  return [
    '-fsdev',
    `local,id=${tag},path=${path},security_model=none,readonly=on,multidevs=remap`,
    '-device',
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}
