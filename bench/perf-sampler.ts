import type { Sampler } from '../src/component/sampling.js';
import { libc } from '../src/linux/libc.js';
import { CounterGroup, groupReadFormat } from '../src/linux/perf/counter-group.js';
import { openPerfEvent, perfType } from '../src/linux/perf/event.js';

/** cpu-clock, context-switches, page-faults, cpu-migrations: four counters that every kernel has. */
const configs = [0, 3, 2, 4];

const schedSetaffinity = libc.func(
  'int sched_setaffinity(int pid, unsigned long size, const void *mask)',
) as (pid: number, size: number, mask: Uint8Array) => number;

/** Reads a perf group of four software counters of CPU 0, as the floor in C does. */
export function openSampler(): Sampler {
  stayOnCpu0();
  const fds: number[] = [];
  for (const config of configs) fds.push(openCounter(config, fds[0]));
  const group = new CounterGroup(fds);
  let isBegun = false;
  return {
    width: configs.length,
    columns: configs,
    generation: 0,
    read(values, at) {
      group.read();
      if (!isBegun) group.rebase();
      isBegun = true;
      for (let column = 0; column < configs.length; column++) values[at + column] = group.countOf(column);
    },
    close: () => group.close(),
  };
}

/**
 * The counters belong to CPU 0; reading them from another CPU costs an interrupt there.
 * @param tid the thread; 0: the calling one
 */
export function stayOnCpu0(tid = 0): void {
  const mask = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  schedSetaffinity(tid, mask.length, mask);
}

function openCounter(config: number, groupFd: number | undefined): number {
  return openPerfEvent({
    name: `software event ${config}`,
    type: perfType.software,
    config,
    pid: -1,
    cpu: 0,
    readFormat: groupReadFormat,
    ...(groupFd === undefined ? {} : { groupFd }),
  });
}
