import { mkdirSync } from 'node:fs';
import type { Machine } from '../machine.js';
import type { CpuTruth } from '../simulated-cpus.js';
import { describeFrequency } from './cpu-tree.js';
import type { DeviceCounts } from './device-tree.js';
import { describeBuddies, describeMemory, describeZones, sumUsedKib } from './memory-files.js';
import { listProcesses } from './standing-processes.js';
import {
  describeInterrupts,
  describeInterruptSums,
  describeSchedstat,
  describeSoftirqs,
  writeStaticProc,
} from './static-proc.js';
import { TreeFile } from './tree-file.js';

const nsPerTick = 10_000_000n;
const bootForks = 1000;

const fileNames = [
  'stat',
  'uptime',
  'loadavg',
  'meminfo',
  'zoneinfo',
  'buddyinfo',
  'vmstat',
  'diskstats',
  'cpuinfo',
  'interrupts',
  'softirqs',
  'schedstat',
  'net/dev',
  'pressure/cpu',
  'pressure/memory',
  'pressure/io',
] as const;
type FileName = (typeof fileNames)[number];

/** Where the time since boot stood when simulated time began. */
export interface Boot {
  /** Nanoseconds since boot at instant 0 of simulated time. */
  readonly sinceBootNs: bigint;
  /** Unix time in nanoseconds at that instant. */
  readonly wallNs: bigint;
}

/** The files of `/proc` that are about the whole machine. */
export class ProcTree {
  readonly #machine: Machine;
  readonly #boot: Boot;
  readonly #files: ReadonlyMap<FileName, TreeFile>;

  constructor(proc: string, machine: Machine, boot: Boot) {
    this.#machine = machine;
    this.#boot = boot;
    for (const name of ['net', 'pressure']) mkdirSync(`${proc}/${name}`, { recursive: true });
    writeStaticProc(proc, machine.spec.sockets * machine.spec.cpusPerSocket);
    this.#files = new Map(fileNames.map((name) => [name, new TreeFile(`${proc}/${name}`)]));
  }

  /** Writes the instant at which the machine stands, in simulated microseconds. @returns what sysfs has, too */
  write(us: number, cpus: readonly CpuTruth[]): DeviceCounts {
    const busyNs = cpus.reduce((sum, cpu) => sum + cpu.busyNs, 0n);
    const { sockets } = this.#machine.spec;
    const usedKib = sumUsedKib(this.#residentMib());
    const network = countNetwork(us);
    const diskColumns = describeDisk(busyNs);
    const texts: Readonly<Record<FileName, string>> = {
      stat: this.#describeStat(cpus),
      uptime: this.#describeUptime(us, cpus, busyNs),
      loadavg: this.#describeLoad(cpus),
      meminfo: describeMemory(usedKib),
      zoneinfo: describeZones(usedKib, sockets),
      buddyinfo: describeBuddies(usedKib, sockets),
      interrupts: describeInterrupts(cpus),
      softirqs: describeSoftirqs(cpus),
      schedstat: describeSchedstat(cpus, this.#boot.sinceBootNs + BigInt(us) * 1000n),
      vmstat: describePaging(busyNs),
      diskstats: `   8       0 sda ${diskColumns}\n`,
      cpuinfo: cpus
        .filter(({ isOnline }) => isOnline)
        .map(describeCpu)
        .join('\n'),
      'net/dev': describeNetwork(network),
      'pressure/cpu': describePressure('some', busyNs / 50_000n),
      'pressure/memory': describePressure('some', 0n) + describePressure('full', 0n),
      'pressure/io':
        describePressure('some', busyNs / 200_000n) + describePressure('full', busyNs / 400_000n),
    };
    for (const [name, file] of this.#files) file.write(texts[name]);
    return { ...network, diskColumns, usedKib };
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  #describeStat(cpus: readonly CpuTruth[]): string {
    const { births, liveProcesses } = this.#machine;
    const running = liveProcesses.filter(({ percent }) => percent > 0).length;
    const total = cpus.map((cpu) => this.#timesOf(cpu)).reduce(addTimes);
    const lines = cpus
      .filter(({ isOnline }) => isOnline)
      .map((cpu) => `cpu${cpu.number} ${describeTimes(this.#timesOf(cpu))}`);
    const { intr, softirq } = describeInterruptSums(cpus);
    const bootSeconds = (this.#boot.wallNs - this.#boot.sinceBootNs) / 1_000_000_000n;
    return [
      `cpu  ${describeTimes(total)}`,
      ...lines,
      intr,
      `ctxt ${1_000_000n + (total.user + total.system) / 1_000_000n}`,
      `btime ${bootSeconds}`,
      `processes ${bootForks + births}`,
      `procs_running ${running}`,
      'procs_blocked 0',
      softirq,
      '',
    ].join('\n');
  }

  #timesOf({ busyNs, onlineNs }: CpuTruth): Times {
    const system = busyNs / 5n;
    return { user: busyNs - system, system, idle: this.#boot.sinceBootNs + onlineNs - busyNs };
  }

  #describeUptime(us: number, cpus: readonly CpuTruth[], busyNs: bigint): string {
    const upNs = this.#boot.sinceBootNs + BigInt(us) * 1000n;
    const onlineNs = cpus.reduce((sum, cpu) => sum + this.#boot.sinceBootNs + cpu.onlineNs, 0n);
    return `${describeSeconds(upNs)} ${describeSeconds(onlineNs - busyNs)}\n`;
  }

  #describeLoad(cpus: readonly CpuTruth[]): string {
    const processes = listProcesses(this.#machine);
    const load = (cpus.reduce((sum, { percent }) => sum + percent, 0) / 100).toFixed(2);
    const running = processes.filter(({ percent }) => percent > 0).length;
    return `${load} ${load} ${load} ${running}/${processes.length} ${bootForks + this.#machine.births}\n`;
  }

  #residentMib(): number {
    return listProcesses(this.#machine).reduce((sum, { identity }) => sum + identity.program.residentMib, 0);
  }
}

interface Times {
  readonly user: bigint;
  readonly system: bigint;
  readonly idle: bigint;
}

function addTimes(a: Times, b: Times): Times {
  return { user: a.user + b.user, system: a.system + b.system, idle: a.idle + b.idle };
}

function describeTimes({ user, system, idle }: Times): string {
  return `${user / nsPerTick} 0 ${system / nsPerTick} ${idle / nsPerTick} 0 0 0 0 0 0`;
}

function describeSeconds(ns: bigint): string {
  return `${ns / 1_000_000_000n}.${String((ns / nsPerTick) % 100n).padStart(2, '0')}`;
}

function describePaging(busyNs: bigint): string {
  return `pgpgin ${busyNs / 100_000n}\npgpgout ${busyNs / 300_000n}\npswpin 0\npswpout 0\npgfault ${busyNs / 50_000n}\npgmajfault ${busyNs / 100_000_000n}\noom_kill 0\n`;
}

/** The columns of `/proc/diskstats` after the name. */
function describeDisk(busyNs: bigint): string {
  const [reads, writes, ms] = [busyNs / 10_000_000n, busyNs / 20_000_000n, busyNs / 50_000_000n];
  return `${reads} 0 ${reads * 16n} ${ms} ${writes} 0 ${writes * 32n} ${ms} 0 ${ms} ${2n * ms} 0 0 0 0 0 0`;
}

/** What goes over the network in each direction. */
function countNetwork(us: number): { readonly packets: number; readonly bytes: number } {
  const packets = Math.floor(us / 500);
  return { packets, bytes: packets * 600 };
}

function describeNetwork({ packets, bytes }: ReturnType<typeof countNetwork>): string {
  const heading =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
  return heading + describeInterface('lo', 0, 0) + describeInterface('eth0', packets, bytes);
}

function describeInterface(name: string, packets: number, bytes: number): string {
  const counts = `${bytes} ${packets} 0 0 0 0 0 0`;
  return `${name.padStart(6)}: ${counts} ${counts}\n`;
}

function describePressure(name: string, us: bigint): string {
  return `${name} avg10=0.00 avg60=0.00 avg300=0.00 total=${us}\n`;
}

function describeCpu({ number, socket, percent }: CpuTruth): string {
  const megahertz = (Number(describeFrequency(percent)) / 1000).toFixed(3);
  return [
    `processor\t: ${number}`,
    'vendor_id\t: GenuineIntel',
    'cpu family\t: 6',
    'model\t\t: 106',
    'model name\t: Simulated CPU',
    `cpu MHz\t\t: ${megahertz}`,
    `physical id\t: ${socket}`,
    `core id\t\t: ${number}`,
    '',
  ].join('\n');
}
