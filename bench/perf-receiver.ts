import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { schema } from '../receivers/perf/config.js';
import { createSeries, type Columns } from '../receivers/perf/metrics.js';
import { createPlan, findEvents } from '../receivers/perf/plan.js';
import { parseSettings } from '../src/config/settings.js';
import type { Benchmark } from './benchmark.js';
import { measureSampler } from './sampling.js';

/** Four counters that every kernel has, the same as in the floor. */
const events = ['{cpu-clock,context-switches,page-faults,cpu-migrations}'];

/**
 * The perf receiver's own sampler, with scaling and sums, against a C program that only reads four such
 * counters. Both count one group of a sleeping process.
 */
export const perfReceiver: Benchmark = {
  name: 'perf-receiver',
  async measure() {
    const sleeper = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(sleeper, 'spawn');
    const config = parseSettings(schema, { events });
    const target = { kind: 'process', pid: Number(sleeper.pid) } as const;
    try {
      return await measureSampler(
        {
          module: new URL('../receivers/perf/sampler.js', import.meta.url),
          options: createPlan(config, findEvents(config), target),
          // Description returned by the receiver's own sampler.
          describe: (columns, start) => createSeries(columns as Columns, { attributes: {} }, start),
        },
        [{ hz: 10_000, maxMissedPoints: 0.1 }],
      );
    } finally {
      sleeper.kill();
    }
  },
};
