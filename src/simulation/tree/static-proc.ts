import type { CpuTruth } from '../simulated-cpus.js';
import { modules } from './device-tree.js';
import { readerPid } from './standing-processes.js';
import { writeFiles, writeLinks } from './tree-file.js';

const bootId = '5d0f1f6a-8f0e-4c1c-9d7b-2f6f0c1f7a11\n';

/** Writes what does not change of `/proc`, for programs that read more than counters. */
export function writeStaticProc(proc: string, cpus: number): void {
  writeFiles(proc, { ...machineFiles, ...networkFiles, 'net/softnet_stat': softnet.repeat(cpus) });
  writeLinks(proc, {
    self: String(readerPid),
    'thread-self': `${readerPid}/task/${readerPid}`,
    mounts: 'self/mounts',
  });
}

const machineFiles = {
  'sys/kernel/threads-max': '511000\n',
  'sys/kernel/pid_max': '4194304\n',
  'sys/kernel/osrelease': '6.12.0\n',
  'sys/kernel/ostype': 'Linux\n',
  'sys/kernel/version': '#1 SMP PREEMPT_DYNAMIC\n',
  'sys/kernel/hostname': 'simulated\n',
  'sys/kernel/perf_event_paranoid': '2\n',
  'sys/kernel/random/entropy_avail': '256\n',
  'sys/kernel/random/poolsize': '256\n',
  'sys/kernel/random/boot_id': bootId,
  'sys/fs/file-nr': '1024\t0\t9223372036854775807\n',
  version: 'Linux version 6.12.0 (simulated)\n',
  cmdline: 'BOOT_IMAGE=/vmlinuz-6.12.0 root=/dev/sda1 ro quiet\n',
  filesystems: 'nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\n\text4\n',
  modules: Object.entries(modules)
    .map(([name, bytes]) => `${name} ${bytes} 0 - Live 0x0000000000000000\n`)
    .join(''),
  cgroups:
    '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\nmemory\t0\t1\t1\nio\t0\t1\t1\npids\t0\t1\t1\n',
  slabinfo:
    'slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n',
  'sys/vm/overcommit_memory': '0\n',
  'sys/vm/swappiness': '60\n',
  partitions: 'major minor  #blocks  name\n\n   8        0  488386584 sda\n',
  devices: 'Character devices:\n  1 mem\n  5 /dev/tty\n\nBlock devices:\n  8 sd\n',
  swaps: 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n',
  crypto: '',
  locks: '',
};

const sockets = 'inode                                                     \n';
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout ${sockets}`;
const udp =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             \n';

const networkFiles = {
  'net/route':
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n' +
    'eth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n',
  'net/if_inet6': '00000000000000000000000000000001 01 80 10 80       lo\n',
  'net/raw': udp,
  'net/raw6': udp,
  'net/packet': 'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n',
  'net/arp': 'IP address       HW type     Flags       HW address            Mask     Device\n',
  'net/netstat':
    'TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 0\nIpExt: InOctets OutOctets\nIpExt: 0 0\n',
  'net/snmp':
    'Ip: Forwarding DefaultTTL InReceives\nIp: 2 64 0\n' +
    'Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens CurrEstab\nTcp: 1 200 120000 -1 0 0 0\n' +
    'Udp: InDatagrams NoPorts InErrors OutDatagrams\nUdp: 0 0 0 0\n',
  'net/snmp6': 'Ip6InReceives                   \t0\n',
  'net/sockstat': 'sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\n',
  'net/tcp': tcp,
  'net/tcp6': tcp,
  'net/udp': udp,
  'net/udp6': udp,
  'net/unix': 'Num       RefCount Protocol Flags    Type St Inode Path\n',
};

// A line for each CPU: 15 columns.
const softnet = `${Array.from({ length: 15 }, () => '00000000').join(' ')}\n`;

/** A tick of a busy CPU at HZ 250; an idle one has none. */
const nsPerTimer = 4_000_000n;

const softirqNames = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
] as const;

/** The timer's interrupts are all that there are, and each of them raises a softirq. */
function countTimer({ busyNs }: CpuTruth): bigint {
  return busyNs / nsPerTimer;
}

function countSoftirq(name: (typeof softirqNames)[number], cpu: CpuTruth): bigint {
  if (name === 'TIMER') return countTimer(cpu);
  return name === 'SCHED' ? countTimer(cpu) / 2n : 0n;
}

function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((total, count) => total + count, 0n);
}

/** The lines `intr` and `softirq` of `/proc/stat`: sums over all CPUs, those that are offline as well. */
export function describeInterruptSums(cpus: readonly CpuTruth[]): { intr: string; softirq: string } {
  const softirqs = softirqNames.map((name) => sum(cpus.map((cpu) => countSoftirq(name, cpu))));
  return {
    intr: `intr ${sum(cpus.map(countTimer))} 0`,
    softirq: `softirq ${sum(softirqs)} ${softirqs.join(' ')}`,
  };
}

/** `/proc/interrupts`: a column for each CPU that is online. */
export function describeInterrupts(cpus: readonly CpuTruth[]): string {
  const online = cpus.filter(({ isOnline }) => isOnline);
  const none = online.map(() => 0n);
  return [
    describeHeading(online, 11),
    `${describeRow('0:', 4, none)}  IR-IO-APIC    2-edge      timer`,
    `${describeRow('NMI:', 4, none)}   Non-maskable interrupts`,
    `${describeRow('LOC:', 4, online.map(countTimer))}   Local timer interrupts`,
    `${describeRow('RES:', 4, none)}   Rescheduling interrupts`,
    ' ERR:          0',
    ' MIS:          0',
    '',
  ].join('\n');
}

/** `/proc/softirqs`: a column for each CPU that there is. */
export function describeSoftirqs(cpus: readonly CpuTruth[]): string {
  const rows = softirqNames.map((name) =>
    describeRow(
      `${name}:`,
      12,
      cpus.map((cpu) => countSoftirq(name, cpu)),
    ),
  );
  return [describeHeading(cpus, 20), ...rows, ''].join('\n');
}

/** `/proc/schedstat`, version 15: how long each CPU ran tasks, and how many slices of time they had. */
export function describeSchedstat(cpus: readonly CpuTruth[], sinceBootNs: bigint): string {
  const lines = cpus
    .filter(({ isOnline }) => isOnline)
    .map((cpu) => `cpu${cpu.number} 0 0 0 0 0 0 ${cpu.busyNs} 0 ${countTimer(cpu)}`);
  return ['version 15', `timestamp ${sinceBootNs / nsPerTimer}`, ...lines, ''].join('\n');
}

function describeHeading(cpus: readonly CpuTruth[], indent: number): string {
  return ' '.repeat(indent) + cpus.map(({ number }) => `CPU${number}`.padEnd(11)).join('');
}

function describeRow(label: string, width: number, counts: readonly bigint[]): string {
  return label.padStart(width) + counts.map((count) => ` ${String(count).padStart(10)}`).join('');
}
