import { schema } from '../receivers/rapl/config.js';
import { createSeries, type Columns } from '../receivers/rapl/domain.js';
import { FakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { parseSettings } from '../src/config/settings.js';
import type { Benchmark } from './benchmark.js';
import { measureSampler } from './sampling.js';
import { energyEvents } from './sampling-agent.js';

/** The rapl receiver's own sampler with four counters of perf_event, against a C program that only reads four. */
export const raplReceiver: Benchmark = {
  name: 'rapl-receiver',
  async measure() {
    const sysfs = new FakeSysfs();
    sysfs.writePmu(energyEvents);
    try {
      return await measureSampler(
        {
          module: new URL('./rapl-sampler.js', import.meta.url),
          options: parseSettings(schema, { sysfs: sysfs.root, interface: 'perf_event' }),
          // Description returned by the receiver's own sampler.
          describe: (columns, start) => createSeries(columns as Columns, { attributes: {} }, start),
        },
        [
          { hz: 10_000, maxRatio: 1.15, maxMissedPoints: 0.1 },
          { hz: 1000, maxRatio: 1.3 },
        ],
      );
    } finally {
      sysfs.remove('.');
    }
  },
};
