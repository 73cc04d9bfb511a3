import { closeSync, existsSync } from 'node:fs';
import type { IdentityReader } from '../../src/identity/process-identity.js';
import { detail } from '../../src/linux/bpf/process-details.js';
import { BudgetedFile, type DescriptorBudget, type ReadResult } from '../../src/linux/budgeted-file.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { KeptFile } from '../../src/linux/kept-file.js';
import { pageSize } from '../../src/linux/libc.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { openWithoutWaiting } from '../../src/linux/regular-file.js';
import { maxBytes, parseLine } from '../../src/scraping/lines.js';
import type { BusiestProcesses } from './busiest-processes.js';
import type { Layout, Layouts } from './columns.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { ProcessIo } from './process-io.js';
import { MapsReader, ProcessMaps } from './process-maps.js';

/** The files of one process that are read repeatedly. */
export interface ProcessFiles {
  readonly stat: BudgetedFile;
  /** Undefined if the settings do not require it. */
  readonly io: BudgetedFile | undefined;
  readonly maps: ProcessMaps | undefined;
}

/** Options of a process reader. */
export interface ReaderOptions {
  readonly procfs: string;
  /** Undefined: the ticks of `stat` are used. */
  readonly cpuTime: CpuTimeSource | undefined;
  readonly layouts: Layouts;
  readonly identity: IdentityReader;
  readonly budget: DescriptorBudget;
  /**
   * Number of scans after which slowly changing data is checked again: the identity of a process, which can be
   * moved to another cgroup, and the values of a process that has not run, whose memory can be reclaimed.
   */
  readonly lookAgainAfter: number;
  readonly busiest: BusiestProcesses;
  /** The packages by which CPU time is divided; undefined: it is not divided. */
  readonly packages: CpuPackages | undefined;
}

/** Reads the files of processes, one after another, into the same objects. */
export class ProcessReader {
  readonly stat = new ProcessStat();
  readonly io = new ProcessIo();
  readonly maps = new MapsReader();
  readonly cpuTime: CpuTimeSource | undefined;
  readonly identity: IdentityReader;
  readonly lookAgainAfter: number;
  /**
   * If the source of CPU time provides enough data, only the files of the busiest processes are read whenever
   * they have run.
   */
  readonly busiest: BusiestProcesses;
  readonly memory: MemoryTotal;
  readonly procfs: string;
  readonly packages: CpuPackages | undefined;
  /** Whether some values are read asynchronously and arrive later. */
  readonly hasMaps: boolean;
  readonly #options: ReaderOptions;
  readonly #buffer = Buffer.allocUnsafeSlow(4096);

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.cpuTime = options.cpuTime;
    this.identity = options.identity;
    this.memory = new MemoryTotal(options.procfs);
    this.lookAgainAfter = options.lookAgainAfter;
    this.busiest = options.busiest;
    this.procfs = options.procfs;
    this.packages = options.packages;
    this.hasMaps = options.layouts.wanted.maps;
  }

  /**
   * Opens the files of a process and reads its `stat` and its CPU time.
   * @returns the problem if that failed; then no file is left open
   */
  open(pid: number): ProcessFiles | 'gone' | 'failed' {
    const files = this.#filesOf(pid);
    const result = this.readStat(files);
    const isThere = typeof result === 'number' && (this.cpuTime?.read(pid, this.stat.startTicks) ?? true);
    if (isThere) return files;
    files.stat.close();
    return typeof result === 'number' ? 'gone' : result;
  }

  /** Whether a process still exists, or is a zombie. */
  exists(pid: number): boolean {
    return existsSync(`${this.procfs}/${pid}`);
  }

  /** Selects the series of a process. Its `stat` must just have been read. */
  chooseLayout(files: ProcessFiles): Layout {
    const { layouts } = this.#options;
    if (this.stat.isKernelThread) return layouts.kernelThread;
    return layouts.select({ io: this.readIo(files), maps: mayRead(files.maps?.path) });
  }

  /** Takes into `stat` what the source of CPU time has of it. @param details `detail` */
  takeDetails(details: Float64Array): void {
    const { stat } = this;
    stat.residentPages = details[detail.residentPages] ?? NaN;
    stat.virtualBytes = (details[detail.virtualPages] ?? NaN) * pageSize;
    stat.threads = details[detail.threads] ?? NaN;
  }

  /** Requests the shared memory of a process, if it is wanted. The result is used before the next reading. */
  requestMaps({ maps }: ProcessFiles, { hasMaps }: Layout): void {
    if (maps === undefined || !hasMaps) return;
    if (!maps.isNew) this.maps.request(maps);
    maps.isNew = false;
  }

  /** Reads and parses the status of a process into `stat`. */
  readStat({ stat }: ProcessFiles): ReadResult {
    const length = stat.read(this.#buffer);
    if (typeof length !== 'number') return length;
    return this.stat.parse(this.#buffer, length) ? length : 'failed';
  }

  /**
   * Reads and parses the I/O of a process into `io`.
   * @returns whether it could be read
   */
  readIo({ io }: ProcessFiles): boolean {
    const length = io?.read(this.#buffer);
    if (typeof length === 'number') return this.io.parse(this.#buffer.subarray(0, length));
    this.io.forget();
    return false;
  }

  #filesOf(pid: number): ProcessFiles {
    const { procfs, budget, layouts } = this.#options;
    const open = (name: string) => new BudgetedFile(`${procfs}/${pid}/${name}`, budget);
    return {
      stat: open('stat'),
      io: layouts.wanted.io ? open('io') : undefined,
      maps: layouts.wanted.maps ? new ProcessMaps(`${procfs}/${pid}/smaps_rollup`) : undefined,
    };
  }
}

/** Whether a file can be opened: the kernel denies some. */
function mayRead(path: string | undefined): boolean {
  if (path === undefined) return false;
  try {
    closeSync(openWithoutWaiting(path));
    return true;
  } catch {
    return false;
  }
}

/** The memory of the machine. That of a virtual machine can change at run time. */
export class MemoryTotal {
  /** If unknown, more than any machine has. */
  bytes = maxBytes;
  readonly #file: KeptFile;

  constructor(procfs: string) {
    this.#file = new KeptFile(`${procfs}/meminfo`);
  }

  /** Reads it. */
  read(): void {
    this.bytes = this.#readKib() * 1024;
    if (!(this.bytes > 0 && this.bytes <= maxBytes)) this.bytes = maxBytes;
  }

  close(): void {
    this.#file.close();
  }

  /** @returns NaN if it cannot be read */
  #readKib(): number {
    try {
      return parseLine(this.#file.path, this.#file.read(), 'MemTotal:');
    } catch {
      return NaN;
    }
  }
}
