import type { Metric } from './series.js';

// Metrics of usage that more than one component uses: CPU time, GPU time, memory, I/O and perf events of machines,
// cgroups and processes. Readers match by name, since tables may also come from files and other collectors.

/**
 * By how much the CPU time of a process may lag behind while the process runs. Published in the row of `busyTime`,
 * by receivers whose readings of CPU time are not exact.
 */
export const cpuTick: Metric = {
  name: 'system.cpu.tick',
  unit: 's',
  description: 'Time by which the CPU time of a running process may lag behind: a tick of the kernel',
  kind: 'gauge',
  valueType: 'double',
};

/** Time of the logical CPUs, by `cpu.mode` and, where CPUs are apart, `cpu.logical_number`. */
export const cpuTime: Metric = {
  name: 'system.cpu.time',
  unit: 's',
  description: 'Time that the logical CPUs spent in each mode',
  kind: 'counter',
  valueType: 'double',
};

/** Logical CPUs of the machine that are online: what its busy time can grow by in a second. */
export const logicalCpus: Metric = {
  name: 'system.cpu.logical.count',
  unit: '{cpu}',
  description: 'Logical CPUs that are online',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Processes of the machine, by `process.state` = running, sleeping, stopped or defunct. */
export const processCount: Metric = {
  name: 'system.process.count',
  unit: '{process}',
  description: 'Number of processes by state',
  kind: 'updowncounter',
  valueType: 'int',
};

/** CPU time of a process, by `cpu.mode` = user or system. */
export const processCpuTime: Metric = {
  name: 'process.cpu.time',
  unit: 's',
  description: 'CPU time that a process used',
  kind: 'counter',
  valueType: 'double',
};

/**
 * CPU time of a cgroup with all cgroups below it, by `cpu.mode` = user or system where these are known, on a resource
 * with `linux.cgroup.path`. It is read shortly before `busyTime`, by which a usage scan is closed.
 */
export const cgroupCpuTime: Metric = {
  name: 'linux.cgroup.cpu.time',
  unit: 's',
  description: 'CPU time that a cgroup used, including cgroups below it',
  kind: 'counter',
  valueType: 'double',
};

/**
 * CPU time of a process on the CPUs of one package, `cpu.package`, by the kernel's number of it: a part of its
 * `process.cpu.time`, in the same row. What all packages lack of that was used on a package that is not known.
 */
export const processPackageTime: Metric = {
  name: 'process.cpu.package.time',
  unit: 's',
  description: 'CPU time that a process used on the CPUs of one package',
  kind: 'counter',
  valueType: 'double',
};

/**
 * GPU time of a process on one GPU, by `hw.id` and `hw.gpu.task` = general, encoder or decoder. On a MIG instance, whose GPU
 * is `hw.parent`, it is time of the whole GPU: that of the instance by the part that it has of the SMs.
 */
export const processGpuTime: Metric = {
  name: 'process.gpu.time',
  unit: 's',
  description: 'Time during which a process kept an engine of a GPU busy',
  kind: 'counter',
  valueType: 'double',
};

/**
 * GPU time of all processes on one GPU and all its engines, by `hw.type` and `hw.id`. Its rows close a usage scan of
 * that GPU, as those of `busyTime` do of the CPUs: they follow the rows of every process at the same instant, and the
 * first one, of 0, comes before the energy of the GPU. That of a MIG instance has `hw.parent`, is a part of that of its GPU
 * and comes before it.
 */
export const gpuTime: Metric = {
  name: 'hw.gpu.time',
  unit: 's',
  description: 'Time during which processes kept the engines of a GPU busy, summed over the engines',
  kind: 'counter',
  valueType: 'double',
};

/**
 * CPU time of the whole machine that was not idle, iowait or steal (docs/ledger.md, Usage). Its rows close a
 * usage scan: a receiver of CPU time reads this first and forwards it last, with the instant of that reading, after
 * the rows of every workload and every ending. The instant is the scan's boundary.
 */
export const busyTime: Metric = {
  name: 'system.cpu.busy.time',
  unit: 's',
  description:
    'Time that all CPUs together were busy: not idle, not waiting for I/O and not stolen by the hypervisor',
  kind: 'counter',
  valueType: 'double',
};

/**
 * The part of `busyTime` that interrupts took and that is in the CPU time of no process. Published in the row of `busyTime`, where
 * the kernel counts it apart.
 */
export const interruptTime: Metric = {
  name: 'system.cpu.interrupt.time',
  unit: 's',
  description: 'CPU time of interrupts that is not part of the CPU time of any process',
  kind: 'counter',
  valueType: 'double',
};

/**
 * CPU time of a cgroup with all below it on the CPUs of one package, `cpu.package`: by it, what is known of no process of the
 * cgroup is divided among packages. On the resource of `cgroupCpuTime`, in the same row.
 */
export const cgroupPackageTime: Metric = {
  name: 'linux.cgroup.cpu.package.time',
  unit: 's',
  description: 'CPU time that a cgroup used on the CPUs of one package, including cgroups below it',
  kind: 'counter',
  valueType: 'double',
};

/** The part of `busyTime` that is of the CPUs of one package, `cpu.package`. Published in the row of `busyTime`. */
export const packageBusyTime: Metric = {
  name: 'system.cpu.package.busy.time',
  unit: 's',
  description:
    'Time that the CPUs of one package were busy: not idle, not waiting for I/O and not stolen by the hypervisor',
  kind: 'counter',
  valueType: 'double',
};

/**
 * Bytes that the tasks of a group of resctrl (`linux.resctrl.group`) moved between a last-level cache and memory, with those of
 * the monitoring groups below a control group. `cpu.package`: that of the cache, where it is known.
 */
export const memoryTraffic: Metric = {
  name: 'linux.resctrl.memory.io',
  unit: 'By',
  description: 'Bytes that the tasks of a resctrl group moved between a last-level cache and memory',
  kind: 'counter',
  valueType: 'int',
};

/** The part of `memoryTraffic` that is with the memory of the cache's own NUMA node. Attributes as there. */
export const localMemoryTraffic: Metric = {
  name: 'linux.resctrl.memory.local.io',
  unit: 'By',
  description: 'The part of linux.resctrl.memory.io to and from memory of the same NUMA node as the cache',
  kind: 'counter',
  valueType: 'int',
};

/**
 * That a process (`process.pid`) is counted in a group of resctrl other than the default one: always 1. Without
 * `process.pid`: processes that are in no other group may be counted in it, since it has CPUs.
 */
export const memoryTrafficMember: Metric = {
  name: 'linux.resctrl.member',
  unit: '1',
  description: 'Always 1: the process is counted in a resctrl group',
  kind: 'gauge',
  valueType: 'double',
};

/** Usage by package, of which there are many series: published for the ledger, which forwards none of them. */
export const packageUsageMetrics: readonly Metric[] = [
  processPackageTime,
  cgroupPackageTime,
  packageBusyTime,
];

/** Resident set size. */
export const processMemoryUsage: Metric = {
  name: 'process.memory.usage',
  unit: 'By',
  description: 'Resident physical memory of a process',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Virtual memory size. */
export const processMemoryVirtual: Metric = {
  name: 'process.memory.virtual',
  unit: 'By',
  description: 'Virtual memory that a process has mapped',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Attribute: `system.device`. */
export const diskIoTime: Metric = {
  name: 'system.disk.io_time',
  unit: 's',
  description: 'Time during which the device was busy',
  kind: 'counter',
  valueType: 'double',
};

/** Attribute: `cpu.logical_number`. */
export const cpuFrequency: Metric = {
  name: 'system.cpu.frequency',
  unit: 'Hz',
  description: 'Frequency at which a logical CPU runs, as reported by the kernel',
  kind: 'gauge',
  valueType: 'int',
};

/** Memory of the machine. */
export const memoryLimit: Metric = {
  name: 'system.memory.limit',
  unit: 'By',
  description: 'Memory that the kernel can use',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Attributes: `network.interface.name` and `network.io.direction`. */
export const networkIo: Metric = {
  name: 'system.network.io',
  unit: 'By',
  description: 'Bytes received and transmitted',
  kind: 'counter',
  valueType: 'int',
};

/** Events without a unit, or with an unknown one. */
export const eventCount: Metric = {
  name: 'perf.event.count',
  unit: '{event}',
  description: 'Number of times that an event occurred; sums over different events are meaningless',
  kind: 'counter',
  valueType: 'int',
};

/** task-clock, cpu-clock and other clocks. */
export const eventTime: Metric = {
  name: 'perf.event.time',
  unit: 's',
  description: 'Time that an event measured; sums over different events are meaningless',
  kind: 'counter',
  valueType: 'double',
};
