import { closeSync, existsSync, readlinkSync, readSync } from 'node:fs';
import { createGrant, type Probe, type Remedy } from '../../src/component/probe.js';
import { describeError, findErrorCode } from '../../src/errors.js';
import { CpuAccounting } from '../../src/linux/bpf/cpu-accounting.js';
import { kernelTypesPath } from '../../src/linux/bpf/kernel-types.js';
import { readTickNs } from '../../src/linux/clocks.js';
import { isBpfLockedMemory } from '../../src/linux/locked-memory.js';
import { openPidList } from '../../src/linux/pid-list.js';
import { findMissingForBpf, readEffectiveCapabilities } from '../../src/linux/privileges.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { openWithoutWaiting } from '../../src/linux/regular-file.js';
import { findCpuClocks } from './choose-cpu-time-source.js';
import type { Config } from './config.js';
import { findHiddenProcesses } from './procfs-mount.js';

/**
 * Like `probe`, after trying eBPF on old kernels, which may lack more than their files show. On others this would
 * only delay each start.
 */
export async function probeByTrying(config: Config): Promise<Probe> {
  const isTried = isBpfLockedMemory() && wantsBpf(config) && explainBpf(config).length === 0;
  return probe(config, isTried ? await findObstacle() : undefined);
}

async function findObstacle(): Promise<string | undefined> {
  try {
    const accounting = await CpuAccounting.open();
    accounting.close();
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

/**
 * Checks which files of which processes are readable, and which privilege would make the rest readable.
 * @param obstacle why eBPF cannot be used, if that is known already
 */
export function probe(config: Config, obstacle?: string): Probe {
  const { procfs } = config;
  try {
    const pids = listPids(procfs);
    return {
      available: true,
      found: describeFound(config, pids, obstacle),
      remedies: findRemedies(config, pids),
    };
  } catch (error) {
    const remedies = [{ missing: `a procfs at ${procfs}`, command: `mount -t proc proc ${procfs}` }];
    return { available: false, found: `Cannot read ${procfs}: ${describeError(error)}`, remedies };
  }
}

function describeFound(config: Config, pids: readonly number[], obstacle: string | undefined): string {
  const { procfs } = config;
  const tick = `at most ${readTickNs() / 1e6} ms old`;
  const cpuTime = findCpuClocks(procfs) === undefined ? 'in ticks of 10 ms' : tick;
  const hasBpf = wantsBpf(config) && explainBpf(config).length === 0;
  const exact = hasBpf ? ', by eBPF, including processes that live for less than a scan' : '';
  const source = obstacle === undefined ? exact : `, not by eBPF: ${obstacle}`;
  return `${procfs}: ${pids.length} processes, CPU time ${cpuTime}${source}`;
}

function wantsBpf({ procfs, cpu_time: wanted }: Config): boolean {
  return wanted !== 'procfs' && findCpuClocks(procfs) !== undefined;
}

/** Reads the files that a scan requires. */
function listPids(procfs: string): readonly number[] {
  readStart(`${procfs}/stat`);
  const list = openPidList(procfs);
  try {
    return list.read();
  } finally {
    list.close();
  }
}

function findRemedies(config: Config, pids: readonly number[]): Remedy[] {
  const { procfs, metrics, service } = config;
  const programs = pids.filter((pid) => isProgram(procfs, pid));
  const unnamed = countDenied(programs, (pid) => readlinkSync(`${procfs}/${pid}/exe`));
  const ioDenied = metrics.io ? countDenied(programs, (pid) => readStart(`${procfs}/${pid}/io`)) : 0;
  const openMaps = (pid: number) => closeSync(openWithoutWaiting(`${procfs}/${pid}/smaps_rollup`));
  const mapsDenied = metrics.memory_maps ? countDenied(programs, openMaps) : 0;
  const serviceDenied = service ? countDenied(programs, (pid) => openServiceFiles(`${procfs}/${pid}`)) : 0;
  return [
    ...grantIdentity(unnamed, serviceDenied),
    ...(ioDenied > 0
      ? grant(['CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE'], `the disk I/O of ${ioDenied} processes`)
      : []),
    ...(mapsDenied > 0 ? grant(['CAP_SYS_PTRACE'], `the shared memory of ${mapsDenied} processes`) : []),
    ...findHiddenProcesses(procfs).flatMap((hidden) => hidden.remedies),
    ...explainTicks(procfs),
    ...explainBpf(config),
  ];
}

/** The remedy for processes that cannot be identified. */
function grantIdentity(unnamed: number, serviceDenied: number): readonly Remedy[] {
  const parts = [unnamed > 0 ? 'the executable path' : '', serviceDenied > 0 ? 'the service name' : ''];
  const count = Math.max(unnamed, serviceDenied);
  const what = parts.filter((part) => part !== '').join(' and ');
  return count > 0 ? grant(['CAP_SYS_PTRACE'], `${what} of ${count} processes`) : [];
}

/** If the capabilities are already held, no capability helps. */
function grant(capabilities: readonly string[], use: string): readonly Remedy[] {
  const held = readEffectiveCapabilities();
  return capabilities.every((name) => held.includes(name)) ? [] : createGrant(capabilities, use);
}

function explainTicks(procfs: string): Remedy[] {
  if (findCpuClocks(procfs) !== undefined) return [];
  const missing = `CPU time finer than 10 ms: the processes of ${procfs} are of another pid namespace`;
  return [{ missing, command: 'docker run --pid=host (Kubernetes: hostPID: true)' }];
}

const shortLived = 'processes that start and end between two scans';

/** What is missing to see processes that start and end between two scans. */
export function explainBpf(config: Config): readonly Remedy[] {
  if (!wantsBpf(config)) return [];
  if (!existsSync(kernelTypesPath)) {
    const missing = `types of the kernel (${kernelTypesPath}), for ${shortLived}`;
    return [{ missing, command: 'a kernel with CONFIG_DEBUG_INFO_BTF=y' }];
  }
  const missing = findMissingForBpf();
  return missing.length === 0 ? [] : createGrant(missing, shortLived);
}

/** Whether it is a user process. Kernel threads have neither an executable nor I/O. */
function isProgram(procfs: string, pid: number): boolean {
  const stat = new ProcessStat();
  return stat.read(`${procfs}/${pid}`) && !stat.isKernelThread;
}

/** The memory maps of a process of the same user may be denied even if its environment is readable. */
function openServiceFiles(folder: string): void {
  for (const name of ['environ', 'mem']) closeSync(openWithoutWaiting(`${folder}/${name}`));
}

/** The number of processes for which the kernel denies access. */
function countDenied(pids: readonly number[], read: (pid: number) => unknown): number {
  return pids.filter((pid) => isDenied(() => read(pid))).length;
}

function isDenied(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    const code = findErrorCode(error);
    return code === 'EACCES' || code === 'EPERM';
  }
}

function readStart(path: string): void {
  const fd = openWithoutWaiting(path);
  try {
    readSync(fd, Buffer.alloc(64));
  } finally {
    closeSync(fd);
  }
}
