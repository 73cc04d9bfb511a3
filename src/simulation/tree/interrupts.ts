import type { CpuTruth } from '../simulated-cpus.js';

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
