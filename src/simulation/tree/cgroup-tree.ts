import { mkdirSync } from 'node:fs';
import type { Machine } from '../machine.js';
import { listProcesses, storageOf } from './standing-processes.js';
import { TreeFile, writeFiles } from './tree-file.js';

/** Usage of a cgroup including its descendants. */
interface Sum {
  cpuNs: bigint;
  residentBytes: number;
  count: number;
  /** The processes directly in this cgroup. */
  readonly pids: number[];
}

interface Files {
  readonly stat: TreeFile;
  readonly procs: TreeFile;
  readonly io: TreeFile;
  // The root has neither.
  readonly memory?: TreeFile;
  readonly count?: TreeFile;
}

/** The cgroup hierarchy, version 2. A folder is kept when its last process has ended. */
export class CgroupTree {
  readonly #root: string;
  readonly #machine: Machine;
  readonly #known = new Map<string, Files>();

  constructor(root: string, machine: Machine) {
    this.#root = root;
    this.#machine = machine;
  }

  /** Writes the files for the machine's current instant. */
  write(): void {
    for (const [path, sum] of this.#sumUp()) this.#update(this.#known.get(path) ?? this.#create(path), sum);
  }

  close(): void {
    for (const files of this.#known.values()) closeAll(files);
    this.#known.clear();
  }

  #sumUp(): ReadonlyMap<string, Sum> {
    const sums = new Map<string, Sum>();
    const chainOf = (path: string) =>
      listAncestors(path).map((each) => {
        const sum = sums.get(each) ?? { cpuNs: 0n, residentBytes: 0, count: 0, pids: [] };
        sums.set(each, sum);
        return sum;
      });
    for (const { path, cpuNs } of this.#machine.cgroups()) {
      for (const sum of chainOf(path)) sum.cpuNs += cpuNs;
    }
    for (const { identity } of listProcesses(this.#machine)) {
      const chain = chainOf(identity.program.cgroup);
      for (const sum of chain) {
        sum.residentBytes += identity.program.residentMib * 2 ** 20;
        sum.count++;
      }
      chain.at(-1)?.pids.push(identity.pid);
    }
    return sums;
  }

  #create(path: string): Files {
    const folder = path === '/' ? this.#root : `${this.#root}${path}`;
    mkdirSync(folder, { recursive: true });
    const isRoot = path === '/';
    writeFiles(folder, {
      'cgroup.controllers': 'cpuset cpu io memory pids\n',
      'cgroup.subtree_control': 'cpuset cpu io memory pids\n',
      ...(!isRoot && { 'cgroup.type': 'domain\n' }),
    });
    const open = (name: string) => new TreeFile(`${folder}/${name}`);
    const files = {
      stat: open('cpu.stat'),
      procs: open('cgroup.procs'),
      io: open('io.stat'),
      ...(!isRoot && { memory: open('memory.current'), count: open('pids.current') }),
    };
    this.#known.set(path, files);
    return files;
  }

  #update({ stat, procs, memory, count, io }: Files, sum: Sum): void {
    const { readBytes, writtenBytes } = storageOf(sum.cpuNs);
    const us = sum.cpuNs / 1000n;
    const throttling = 'nr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0\n';
    stat.write(`usage_usec ${us}\nuser_usec ${us - us / 5n}\nsystem_usec ${us / 5n}\n${throttling}`);
    procs.write(sum.pids.map((pid) => `${pid}\n`).join(''));
    memory?.write(`${sum.residentBytes}\n`);
    count?.write(`${sum.count}\n`);
    io.write(
      `8:0 rbytes=${readBytes} wbytes=${writtenBytes} rios=${readBytes / 8192n} wios=${writtenBytes / 4096n} dbytes=0 dios=0\n`,
    );
  }
}

function closeAll(files: Files): void {
  for (const file of Object.values<TreeFile | undefined>({ ...files })) file?.close();
}

/** `/`, `/a.slice`, `/a.slice/b.service` */
function listAncestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)];
}
