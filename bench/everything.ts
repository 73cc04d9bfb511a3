import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { factory } from '../receivers/process/factory.js';
import type { Component } from '../src/component/component.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext, createLogCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { describeError } from '../src/errors.js';
import { parseCpuTimes, tickNs } from '../src/linux/procfs.js';
import type { Series } from '../src/model/series.js';
import type { Table } from '../src/model/table.js';
import { processCpuTime } from '../src/model/usage-metrics.js';
import type { Result } from './benchmark.js';
import { IdleTask } from './idle-task.js';

const durationSeconds = 30;
const intervalMs = 1000;

/**
 * Compares the sum of the CPU time of all processes and of the time without a process with that of all CPUs: without
 * a process by what the kernel calls idle, and by how long its idle tasks ran.
 */
export async function measureEverything(): Promise<readonly Result[]> {
  const used = new UsedTime();
  const log = createLogCollector();
  const config = parseSettings(factory.schema, { collection_interval: '1h', cpu_time: 'ebpf' });
  const receiver = factory.create(config, { ...createFakeContext(), log }, used);
  const opened: { close(): void }[] = [];
  try {
    const idle = await IdleTask.open();
    opened.push(idle);
    await receiver.start();
    const readAll = () => readEverything(receiver, idle, used);
    await readAll();
    while (!idle.isComplete) await sleep(intervalMs);
    const first = await readAll();
    let last = first;
    // As an agent does: the kernel keeps the reports of about 20,000 ended threads between two readings.
    while (last.wall - first.wall < durationSeconds) {
      await sleep(intervalMs);
      last = await readAll();
    }
    for (const line of log.lines) console.error(line);
    return compareEverything(first, last);
  } catch (error) {
    console.error(`Cannot account for everything: ${describeError(error)}`);
    return [];
  } finally {
    await receiver.shutdown();
    for (const each of opened) each.close();
  }
}

/** The CPU time of all processes, those that have ended included. */
class UsedTime implements Consumer {
  readonly #seconds = new Map<Series, number>();

  get seconds(): number {
    return [...this.#seconds.values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  consume({ series, values }: Table): boolean {
    const at = values.length - series.length;
    for (const [i, each] of series.entries()) {
      const value = at < 0 ? NaN : (values[at + i] ?? NaN);
      if (each.metric === processCpuTime && !Number.isNaN(value)) this.#seconds.set(each, value);
    }
    return true;
  }
}

/** Seconds of all CPUs, but `wall` of the clock. */
interface Everything {
  readonly wall: number;
  readonly processes: number;
  readonly steal: number;
  /** According to `/proc/stat`, with the time of waiting for input and output. */
  readonly idle: number;
  readonly idleTask: number;
}

async function readEverything(receiver: Component, idle: IdleTask, used: UsedTime): Promise<Everything> {
  const [wall, idleTask] = [performance.now() / 1000, idle.readSeconds()];
  const { total } = parseCpuTimes(readFileSync('/proc/stat'));
  await receiver.flush?.();
  const ticksPerSecond = 1e9 / tickNs;
  return {
    wall,
    processes: used.seconds,
    steal: total.steal / ticksPerSecond,
    idle: (total.idle + total.iowait) / ticksPerSecond,
    idleTask,
  };
}

function compareEverything(first: Everything, last: Everything): readonly Result[] {
  const grown = (field: keyof Everything) => last[field] - first[field];
  const reference = grown('wall') * availableParallelism();
  const explained = grown('processes') + grown('steal');
  const [ours, byStat] = [explained + grown('idleTask'), explained + grown('idle')];
  const ratio = ours / reference;
  const what = 'time of all CPUs, ebpf';
  return [
    {
      what: `Processes, idle tasks and steal: ${what}`,
      unit: 's',
      ours,
      reference,
      ratio,
      budget: '0.995x to 1.005x',
      met: Math.abs(ratio - 1) <= 0.005,
    },
    {
      what: `Processes, idle, iowait and steal of /proc/stat: ${what}`,
      unit: 's',
      ours: byStat,
      reference,
      ratio: byStat / reference,
      budget: 'no target: the kernel leaves out waking from idle',
      met: undefined,
    },
    {
      what: 'Waking from idle, of the time of all CPUs',
      unit: '%',
      ours: (100 * (grown('idleTask') - grown('idle'))) / reference,
      reference: undefined,
      ratio: undefined,
      budget: '-',
      met: undefined,
    },
    {
      what: 'Steal, of the time of all CPUs',
      unit: '%',
      ours: (100 * grown('steal')) / reference,
      reference: undefined,
      ratio: undefined,
      budget: '-',
      met: undefined,
    },
  ];
}
