import { mkdirSync, renameSync, rmSync } from 'node:fs';
import type { Machine } from '../machine.js';
import { parentOf, type SimulatedProcess } from '../simulated-process.js';
import { linkMainThread, writeProcessFolder, writeShared } from './process-folder.js';
import { listProcesses, storageOf, type StorageUse } from './standing-processes.js';
import { TreeFile } from './tree-file.js';

const nsPerTick = 10_000_000n;
const pageKib = 4;
const kernelThreadFlag = 0x0020_8040;
const programFlag = 0x0040_0000;

/** The files of a process that change. */
interface Files {
  readonly stat: TreeFile;
  readonly schedstat: TreeFile;
  readonly io: TreeFile;
}

/** A folder of `/proc` for each process that lives. It appears and goes as a whole. */
export class ProcessTree {
  readonly #root: string;
  readonly #machine: Machine;
  readonly #sinceBootNs: bigint;
  readonly #known = new Map<SimulatedProcess, Files>();

  /** @param root the folder of the whole tree, in which `proc` is */
  constructor(root: string, machine: Machine, sinceBootNs: bigint) {
    this.#root = root;
    this.#machine = machine;
    this.#sinceBootNs = sinceBootNs;
    mkdirSync(`${root}/.making/shared`, { recursive: true });
    writeShared(`${root}/.making/shared`);
  }

  /** Writes the instant at which the machine stands. */
  write(): void {
    const live = listProcesses(this.#machine);
    const living = new Set(live);
    for (const [process, files] of this.#known) if (!living.has(process)) this.#remove(process, files);
    for (const process of live) {
      const files = this.#known.get(process);
      if (files === undefined) this.#create(process);
      else this.#update(process, files);
    }
  }

  close(): void {
    for (const files of this.#known.values()) closeAll(files);
    this.#known.clear();
    rmSync(`${this.#root}/.making`, { recursive: true, force: true });
  }

  #create(process: SimulatedProcess): void {
    const { pid } = process.identity;
    const folder = `${this.#root}/.making/${pid}`;
    mkdirSync(folder);
    writeProcessFolder(folder, process, `${this.#root}/.making/shared`);
    const files = {
      stat: new TreeFile(`${folder}/stat`),
      schedstat: new TreeFile(`${folder}/schedstat`),
      io: new TreeFile(`${folder}/io`),
    };
    this.#update(process, files);
    linkMainThread(folder, pid);
    renameSync(folder, `${this.#root}/proc/${pid}`);
    this.#known.set(process, files);
  }

  #update(process: SimulatedProcess, { stat, schedstat, io }: Files): void {
    const cpuNs = this.#machine.cpuNsOf(process);
    stat.write(this.#describeStat(process, cpuNs));
    schedstat.write(`${cpuNs} 0 ${cpuNs / 4_000_000n}\n`);
    io.write(describeIo(storageOf(cpuNs)));
  }

  #remove(process: SimulatedProcess, files: Files): void {
    const { pid } = process.identity;
    const gone = `${this.#root}/.making/gone-${pid}`;
    renameSync(`${this.#root}/proc/${pid}`, gone);
    // Who keeps a descriptor gets an error from the kernel, and nothing from here.
    for (const file of [files.stat, files.schedstat, files.io]) file.write('');
    closeAll(files);
    rmSync(gone, { recursive: true });
    this.#known.delete(process);
  }

  /** proc_pid_stat(5). */
  #describeStat(process: SimulatedProcess, cpuNs: bigint): string {
    const { pid, program, bornUs, socket } = process.identity;
    const { name, systemPercent, threads, residentMib } = program;
    const isKernel = program.isKernelThread === true;
    const systemNs = (cpuNs * BigInt(systemPercent)) / 100n;
    const startTicks =
      (this.#sinceBootNs + BigInt(this.#machine.timeline.simulatedAt(bornUs)) * 1000n) / nsPerTick;
    const state = process.percent > 0 ? 'R' : 'S';
    const flags = isKernel ? kernelThreadFlag : programFlag;
    const kib = residentMib * 1024;
    return [
      `${pid} (${name}) ${state} ${parentOf(process)} ${pid} ${pid} 0 -1 ${flags} ${cpuNs / 1_000_000n} 0 0 0`,
      `${(cpuNs - systemNs) / nsPerTick} ${systemNs / nsPerTick} 0 0 20 0 ${threads} 0 ${startTicks}`,
      `${2048 * kib} ${kib / pageKib} 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 ${socket} 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
    ].join(' ');
  }
}

function closeAll(files: Files): void {
  for (const file of [files.stat, files.schedstat, files.io]) file.close();
}

function describeIo({ readBytes, writtenBytes }: StorageUse): string {
  return [
    `rchar: ${2n * readBytes}`,
    `wchar: ${2n * writtenBytes}`,
    `syscr: ${readBytes / 4096n}`,
    `syscw: ${writtenBytes / 4096n}`,
    `read_bytes: ${readBytes}`,
    `write_bytes: ${writtenBytes}`,
    'cancelled_write_bytes: 0',
    '',
  ].join('\n');
}
