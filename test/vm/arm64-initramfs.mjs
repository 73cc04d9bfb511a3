import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What the machine needs to find its disk, and a folder of the host. Some of them are part of some kernels. */
const neededModules = [
  'virtio_pci',
  'virtio_blk',
  'crc32c_generic',
  'ext4',
  '9pnet_virtio',
  '9p',
  'virtio_rng',
  'overlay',
];

const init = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do /bin/busybox insmod "/modules/$module.ko"; done < /modules/order
until [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /bin/bash /init
`;

/** Writes an initramfs with the modules of an unpacked kernel package that mounts the disk and starts its /init. */
export function createInitramfs(kernel, busybox, file) {
  const content = `${file}.content`;
  for (const name of ['bin', 'dev', 'modules', 'root']) mkdirSync(join(content, name), { recursive: true });
  const order = copyModules(findModules(kernel), join(content, 'modules'));
  writeFileSync(join(content, 'modules', 'order'), order.map((name) => `${name}\n`).join(''));
  cpSync(busybox, join(content, 'bin', 'busybox'));
  writeFileSync(join(content, 'init'), init, { mode: 0o755 });
  execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet > "$0"', file], { cwd: content });
}

/** The path of each module by its name. */
function findModules(kernel) {
  const paths = readdirSync(kernel, { recursive: true }).filter((path) => /\.ko(?:\.xz)?$/.test(path));
  return new Map(
    paths.map((path) => [
      basename(path)
        .replace(/\.ko.*/, '')
        .replaceAll('-', '_'),
      join(kernel, path),
    ]),
  );
}

/** @returns the names of the needed modules and those that they depend on, in the order of loading */
function copyModules(paths, target) {
  const order = new Set();
  const copy = (name) => {
    const path = paths.get(name);
    if (path === undefined || order.has(name)) return;
    const bytes = path.endsWith('.xz')
      ? execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 28 })
      : readFileSync(path);
    const [, needed = ''] = /\0depends=([^\0]*)\0/.exec(bytes.toString('latin1')) ?? [];
    for (const other of needed.split(',')) copy(other.replaceAll('-', '_'));
    writeFileSync(join(target, `${name}.ko`), bytes);
    order.add(name);
  };
  for (const name of neededModules) copy(name);
  return [...order];
}
