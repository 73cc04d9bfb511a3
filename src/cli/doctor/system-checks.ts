import { existsSync, readFileSync } from 'node:fs';
import { arch, release, userInfo } from 'node:os';
import { createGrant, type Remedy } from '../../component/probe.js';
import { describeError } from '../../errors.js';
import { findMissingForBpf, readEffectiveCapabilities } from '../../linux/privileges.js';
import { findInteger, findText } from '../../linux/sysfs.js';
import { isVirtualMachine } from '../../linux/topology.js';

/** `note`: works, with a limitation or a hint. `missing`: does not work. */
export type CheckState = 'ok' | 'note' | 'missing';

/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** The finding, for people. */
  readonly found: string;
  /** What would improve it. */
  readonly remedies: readonly Remedy[];
}

/** Checks the settings of the system that every receiver depends on. */
export async function checkSystem(): Promise<readonly Check[]> {
  const capabilities = readEffectiveCapabilities();
  return [
    checkNode(),
    checkMachine(),
    checkUser(capabilities),
    checkPerf(findInteger('/proc/sys/kernel/perf_event_paranoid'), capabilities),
    await checkBpf(findMissingForBpf()),
    checkRealTime(findLimit('Max realtime priority'), capabilities),
    checkCgroups(),
  ];
}

const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, remedies: [] });

function checkNode(): Check {
  return ok('node', `${process.version} at ${process.execPath}`);
}

function checkMachine(): Check {
  const kernel = `Linux ${release()}, ${arch()}`;
  const product = ['sys_vendor', 'product_name'].map((file) => findText(`/sys/class/dmi/id/${file}`));
  const vendor = product.filter((text) => text !== undefined && text !== '').join(' ');
  const container = findContainer();
  const parts = [
    kernel,
    ...(vendor === '' ? [] : [vendor]),
    ...(isVirtualMachine('/sys') ? ['a virtual machine, which seldom has energy counters'] : []),
    ...(container === undefined ? [] : [`in a container (${container})`]),
  ];
  return { ...ok('machine', parts.join('; ')), state: parts.length > 2 ? 'note' : 'ok' };
}

function findContainer(): string | undefined {
  if (existsSync('/.dockerenv')) return 'Docker';
  if (existsSync('/run/.containerenv')) return 'Podman';
  if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) return 'Kubernetes';
  return findText('/run/systemd/container');
}

function checkUser(capabilities: readonly string[]): Check {
  const held =
    capabilities.length === 0 ? 'none of the capabilities that joulemetry can use' : capabilities.join(', ');
  return ok('user', `${describeUser()}; ${held}`);
}

function describeUser(): string {
  const uid = process.getuid?.() ?? -1;
  try {
    return `${userInfo().username} (${uid})`;
  } catch {
    // The user of a container need not be in its passwd file.
    return `uid ${uid}`;
  }
}

/** @param paranoid kernel.perf_event_paranoid; undefined: the kernel has no perf events */
export function checkPerf(paranoid: number | undefined, capabilities: readonly string[]): Check {
  const name = 'perf events';
  if (paranoid === undefined) {
    return {
      name,
      state: 'missing',
      found: 'not supported: this kernel was built without perf events',
      remedies: [],
    };
  }
  const level = `kernel.perf_event_paranoid is ${paranoid}`;
  const holder = ['CAP_PERFMON', 'CAP_SYS_ADMIN'].find((one) => capabilities.includes(one));
  if (holder !== undefined) return ok(name, `all permitted by ${holder}; ${level}`);
  if (paranoid <= 0) return ok(name, `all permitted; ${level}`);
  const allowed = paranoid <= 2 ? 'permitted for own processes only' : 'not permitted';
  return {
    name,
    state: 'note',
    found: `${allowed}; ${level}`,
    remedies: [
      {
        missing: 'events of the whole machine, for every user',
        command: 'sudo sysctl kernel.perf_event_paranoid=0',
      },
    ],
  };
}

/**
 * Loads the programs of `exec`: a kernel can refuse them although the capabilities are held.
 * @param missing capabilities that this process lacks
 */
export async function checkBpf(missing: readonly string[]): Promise<Check> {
  const name = 'eBPF';
  if (missing.length > 0) {
    const remedies = createGrant(
      missing,
      'the CPU time of processes however short, and of each program of exec',
    );
    return { name, state: 'note', found: 'not permitted', remedies };
  }
  const { TreeAccounting } = await import('../../linux/bpf/tree-accounting.js');
  try {
    (await TreeAccounting.open()).close();
    return ok(name, 'permitted, and its programs load');
  } catch (error) {
    return { name, state: 'note', found: `permitted, but fails: ${describeError(error)}`, remedies: [] };
  }
}

/** @param priority RLIMIT_RTPRIO */
export function checkRealTime(priority: number, capabilities: readonly string[]): Check {
  const name = 'real time';
  if (capabilities.includes('CAP_SYS_NICE')) return ok(name, 'SCHED_FIFO permitted by CAP_SYS_NICE');
  if (priority >= 1) return ok(name, `SCHED_FIFO permitted up to priority ${priority}`);
  return {
    name,
    state: 'note',
    found: 'SCHED_FIFO not permitted: samples at intervals of 3 ms or less may be late',
    remedies: [
      { missing: 'RLIMIT_RTPRIO, for this shell', command: 'sudo prlimit --pid $$ --rtprio=1' },
      { missing: 'RLIMIT_RTPRIO, for a systemd unit', command: 'LimitRTPRIO=1' },
    ],
  };
}

function findLimit(name: string): number {
  const limits = readFileSync('/proc/self/limits', 'utf8').split('\n');
  const soft = limits
    .find((line) => line.startsWith(name))
    ?.slice(name.length)
    .trim()
    .split(/\s+/)[0];
  return soft === 'unlimited' ? Infinity : Number(soft ?? 0);
}

function checkCgroups(): Check {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return ok('cgroups', 'version 2');
  if (existsSync('/sys/fs/cgroup/unified')) return ok('cgroups', 'versions 1 and 2 (hybrid)');
  if (existsSync('/sys/fs/cgroup/cpuacct')) return ok('cgroups', 'version 1');
  return { name: 'cgroups', state: 'note', found: 'not mounted at /sys/fs/cgroup', remedies: [] };
}
