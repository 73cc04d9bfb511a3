import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from '../../src/component/consumer.js';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { makeCgroup, runShellIn } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import type { Series } from '../../src/model/series.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { chooseCpuTimeSource } from './choose-cpu-time-source.js';
import { factory } from './factory.js';

// An interval of an hour: every scan, which the test requests, also lists /proc.
const settings = { collection_interval: '1h', cpu_time: 'ebpf' };
const { source, obstacle } = await chooseCpuTimeSource(parseSettings(factory.schema, settings));
source?.close();
const skip = skipFor(obstacle);

/** The last CPU time of each series in a cgroup. */
class CgroupUsage implements Consumer {
  readonly #path: string;
  readonly #last = new Map<Series, number>();

  constructor(path: string) {
    this.#path = path;
  }

  get seconds(): number {
    return [...this.#last.values()].reduce((sum, seconds) => sum + seconds, 0);
  }

  consume({ series, values }: Parameters<Consumer['consume']>[0]): boolean {
    const row = values.length - series.length;
    if (row < 0) return true;
    for (const [i, each] of series.entries()) {
      const value = values[row + i] ?? NaN;
      const cgroup = each.resource.attributes['process.linux.cgroup'];
      if (each.metric.name !== 'process.cpu.time' || Number.isNaN(value)) continue;
      if (cgroup === `0::${this.#path}`) this.#last.set(each, value);
    }
    return true;
  }
}

const burn = (loops: number) => `i=0; while [ $i -lt ${loops} ]; do i=$((i+1)); done`;

test(
  'ProcessReceiver charges a cgroup what its processes used, whenever scans find them, and whatever they execute',
  { skip },
  async (t) => {
    const made = makeCgroup(t, 2);
    if (typeof made === 'string') return t.skip(made);
    const usage = new CgroupUsage(made.path);
    const receiver = factory.create(parseSettings(factory.schema, settings), createFakeContext(), usage);
    t.after(() => receiver.shutdown());
    await receiver.start();
    await receiver.flush?.();
    const long = `( ${burn(15_000)}; exec dash -c '${burn(15_000)}; exec bash -c ":"' ) &`;
    const short = `( ${burn(3000)}; exec /bin/true );`;
    const running = runShellIn(
      t,
      made,
      `n=0; while [ $n -lt 60 ]; do ${long} ${short} wait; n=$((n+1)); done`,
    );
    const shell = { isOver: false };
    const finished = running.finally(() => (shell.isOver = true));
    for (let i = 0; !shell.isOver; i++) {
      await receiver.flush?.();
      await sleep((i * 37) % 150);
    }
    const used = await finished;
    // The kernel reports an end after a grace period.
    for (let tries = 0; tries < 100 && usage.seconds < 0.999 * used; tries++) {
      await sleep(50);
      await receiver.flush?.();
    }
    // Some virtual machines do not report one end in a hundred; the shell has run a moment before it was moved.
    const message = `${usage.seconds} s, by the kernel ${used} s`;
    assert.ok(usage.seconds <= 1.003 * used + 0.005, message);
    assert.ok(usage.seconds >= 0.98 * used, message);
  },
);
