import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { factory as cgroupFactory } from '../receivers/cgroup/factory.js';
import { factory as processFactory } from '../receivers/process/factory.js';
import type { Component } from '../src/component/component.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { describeError } from '../src/errors.js';
import { findHierarchies } from '../src/linux/cgroup/hierarchies.js';
import type { Benchmark, Result } from './benchmark.js';
import { findFloor } from './floors.js';
import { countProcesses } from './processes.js';

const cgroups = 1000;
const processesPerCgroup = 5;
/** In the first minute V8 compiles the code, and collects the garbage of the start several times. */
const warmUpMs = 60_000;
/** Contains one search of all cgroups, and two listings of all processes. */
const measuredMs = 60_000;
const setUpMs = 30_000;

/** Maximum CPU use of the receivers in percent of a core, by source of the CPU time of processes. */
const maxPercent = { ebpf: 1, procfs: 3 };
type Backend = keyof typeof maxPercent;

/**
 * The cost of reading the CPU time of 1,000 cgroups and 5,000 processes once a second, as the default agent
 * does. Needs root, for cgroups and eBPF.
 */
export const crowd: Benchmark = {
  name: 'crowd',
  isLong: true,
  async measure() {
    const program = findFloor('crowd');
    const unified = findHierarchies({ procfs: '/proc', cgroupfs: '' }).find(({ version }) => version === 2);
    if (program === undefined || unified === undefined) return [];
    const folder = join(unified.folder, `joulemetry-bench-${process.pid}`);
    const folders = [folder, ...Array.from({ length: cgroups }, (_, i) => join(folder, String(i)))];
    const seconds = (setUpMs + 2 * (warmUpMs + measuredMs)) / 1000;
    try {
      for (const each of folders) mkdirSync(each);
      const ended = program.run(folder, String(processesPerCgroup), String(seconds));
      while (countProcesses() < cgroups * processesPerCgroup) await sleep(100);
      const results = [await measureReceivers('ebpf'), await measureReceivers('procfs')];
      await ended;
      return results.filter((result) => result !== undefined);
    } catch (error) {
      console.error(`Cannot make a crowd: ${describeError(error)}`);
      return [];
    } finally {
      for (const each of folders.toReversed()) rmdirSync(each);
    }
  },
};

async function measureReceivers(backend: Backend): Promise<Result | undefined> {
  const next: Consumer = { consume: () => true };
  const processes = parseSettings(processFactory.schema, { cpu_time: backend });
  const metrics = { memory: false, io: false, pids: false };
  const settings = { metrics, cpu_time: backend === 'ebpf' ? 'ebpf' : 'files' };
  const receivers: readonly Component[] = [
    cgroupFactory.create(parseSettings(cgroupFactory.schema, settings), createFakeContext(), next),
    processFactory.create(processes, createFakeContext(), next),
  ];
  try {
    for (const receiver of receivers) await receiver.start();
    await sleep(warmUpMs);
    const before = process.cpuUsage();
    await sleep(measuredMs);
    const { user, system } = process.cpuUsage(before);
    return describe(backend, (user + system) / 1000 / measuredMs);
  } catch (error) {
    console.error(`Cannot measure ${backend}: ${describeError(error)}`);
    return undefined;
  } finally {
    for (const receiver of receivers) await receiver.shutdown();
  }
}

function describe(backend: Backend, share: number): Result {
  const most = maxPercent[backend];
  const [ours, what] = [
    share * 100,
    `${cgroups} cgroups and ${cgroups * processesPerCgroup} processes at 1 Hz`,
  ];
  return {
    what: `${what}, ${backend}: a core`,
    unit: '%',
    ours,
    reference: undefined,
    ratio: undefined,
    budget: `at most ${most} %`,
    met: ours <= most,
  };
}
