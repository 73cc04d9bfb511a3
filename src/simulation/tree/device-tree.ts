import { mkdirSync } from 'node:fs';
import { elementAt } from '../../element.js';
import type { MachineSpec } from '../machine-spec.js';
import { describeList } from './cpu-tree.js';
import { describeNodes } from './memory-files.js';
import { TreeFile, writeFiles, writeLinks } from './tree-file.js';

const bus = 'devices/pci0000:00';
const disk = `${bus}/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda`;
const sectors = 976_773_168;

/** Interfaces: their folders, and their differences. */
const interfaces = {
  lo: { folder: 'devices/virtual/net/lo', index: 1, type: 772, mtu: 65_536, flags: '0x9', isUp: 'unknown' },
  eth0: { folder: `${bus}/0000:00:1f.6/net/eth0`, index: 2, type: 1, mtu: 1500, flags: '0x1003', isUp: 'up' },
} as const;

/** Kernel modules in `/proc/modules`: sizes by name. */
export const modules = { intel_rapl_msr: 20_480, msr: 16_384 } as const;

/** The changing values of devices. */
export interface DeviceCounts {
  /** The columns of `/proc/diskstats` after the name. */
  readonly diskColumns: string;
  /** Packets of the interface in each direction, and their bytes. */
  readonly packets: number;
  readonly bytes: number;
  readonly usedKib: number;
}

/** Disks, interfaces, modules and NUMA nodes in `/sys`, for programs that look up devices found in `/proc`. */
export class DeviceTree {
  readonly #sockets: number;
  readonly #disk: TreeFile;
  readonly #packets: readonly TreeFile[];
  readonly #bytes: readonly TreeFile[];
  readonly #nodes: readonly TreeFile[];

  constructor(sys: string, { sockets, cpusPerSocket }: MachineSpec) {
    this.#sockets = sockets;
    writeDisk(sys);
    for (const [name, traits] of Object.entries(interfaces)) writeInterface(sys, name, traits);
    for (const [name, bytes] of Object.entries(modules)) writeModule(sys, name, bytes);
    writeFiles(`${sys}/kernel/mm/ksm`, samePageFiles);
    writeFiles(`${sys}/kernel/mm/transparent_hugepage`, { enabled: 'always [madvise] never\n' });
    writeNodes(sys, sockets, cpusPerSocket);
    const statistics = `${sys}/${interfaces.eth0.folder}/statistics`;
    this.#disk = new TreeFile(`${sys}/${disk}/stat`);
    this.#packets = ['rx', 'tx'].map((direction) => new TreeFile(`${statistics}/${direction}_packets`));
    this.#bytes = ['rx', 'tx'].map((direction) => new TreeFile(`${statistics}/${direction}_bytes`));
    this.#nodes = Array.from(
      { length: sockets },
      (_, node) => new TreeFile(`${sys}/devices/system/node/node${node}/meminfo`),
    );
  }

  write({ diskColumns, packets, bytes, usedKib }: DeviceCounts): void {
    this.#disk.write(`${diskColumns}\n`);
    for (const file of this.#packets) file.write(`${packets}\n`);
    for (const file of this.#bytes) file.write(`${bytes}\n`);
    const nodes = describeNodes(usedKib, this.#sockets);
    this.#nodes.forEach((file, node) => file.write(elementAt(nodes, node)));
  }

  close(): void {
    for (const file of [this.#disk, ...this.#packets, ...this.#bytes, ...this.#nodes]) file.close();
  }
}

function writeDisk(sys: string): void {
  writeFiles(`${sys}/${disk}`, {
    dev: '8:0\n',
    size: `${sectors}\n`,
    ro: '0\n',
    removable: '0\n',
    'queue/rotational': '0\n',
    'queue/logical_block_size': '512\n',
    'queue/physical_block_size': '512\n',
    'queue/hw_sector_size': '512\n',
    'queue/scheduler': '[mq-deadline] none\n',
  });
  writeLinks(sys, { 'block/sda': `../${disk}`, 'class/block/sda': `../../${disk}` });
}

type InterfaceTraits = (typeof interfaces)[keyof typeof interfaces];

function writeInterface(sys: string, name: string, traits: InterfaceTraits): void {
  const { folder, index, type, mtu, flags, isUp } = traits;
  const isCable = name !== 'lo';
  const counts = ['bytes', 'packets', 'errors', 'dropped'].flatMap((what) => [`rx_${what}`, `tx_${what}`]);
  const resting = counts.filter((count) => !isCable || !/bytes|packets/.test(count));
  writeFiles(`${sys}/${folder}`, {
    address: isCable ? '52:54:00:12:34:56\n' : '00:00:00:00:00:00\n',
    broadcast: isCable ? 'ff:ff:ff:ff:ff:ff\n' : '00:00:00:00:00:00\n',
    carrier: '1\n',
    carrier_changes: isCable ? '2\n' : '0\n',
    carrier_up_count: isCable ? '1\n' : '0\n',
    carrier_down_count: isCable ? '1\n' : '0\n',
    flags: `${flags}\n`,
    ifindex: `${index}\n`,
    iflink: `${index}\n`,
    mtu: `${mtu}\n`,
    operstate: `${isUp}\n`,
    tx_queue_len: '1000\n',
    type: `${type}\n`,
    ...(isCable && { speed: '1000\n', duplex: 'full\n' }),
    ...Object.fromEntries(resting.map((count) => [`statistics/${count}`, '0\n'])),
  });
  writeLinks(sys, { [`class/net/${name}`]: `../../${folder}` });
}

function writeModule(sys: string, name: string, bytes: number): void {
  writeFiles(`${sys}/module/${name}`, {
    coresize: `${bytes}\n`,
    initsize: '0\n',
    initstate: 'live\n',
    refcnt: '0\n',
    taint: '\n',
  });
}

const samePageFiles = {
  run: '0\n',
  full_scans: '0\n',
  merge_across_nodes: '1\n',
  pages_shared: '0\n',
  pages_sharing: '0\n',
  pages_to_scan: '100\n',
  pages_unshared: '0\n',
  pages_volatile: '0\n',
  sleep_millisecs: '20\n',
};

/** One node per socket. */
function writeNodes(sys: string, sockets: number, cpusPerSocket: number): void {
  const folder = `${sys}/devices/system/node`;
  const all = Array.from({ length: sockets }, (_, node) => node);
  const list = `${describeList(all)}\n`;
  writeFiles(folder, { online: list, possible: list, has_cpu: list, has_memory: list });
  for (const node of all) {
    const first = node * cpusPerSocket;
    mkdirSync(`${folder}/node${node}`);
    writeFiles(`${folder}/node${node}`, {
      cpulist: `${describeList(Array.from({ length: cpusPerSocket }, (_, i) => first + i))}\n`,
      distance: `${all.map((other) => (other === node ? 10 : 21)).join(' ')}\n`,
      numastat: ['numa_hit', 'numa_miss', 'numa_foreign', 'interleave_hit', 'local_node', 'other_node']
        .map((name) => `${name} 0\n`)
        .join(''),
    });
  }
}
