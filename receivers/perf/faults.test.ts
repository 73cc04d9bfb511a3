import { availableParallelism } from 'node:os';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createMeterReader } from '../../src/component/fakes.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import {
  faultyFiles,
  hasCounted,
  listEvents,
  replaceFiles,
} from '../../src/linux/perf/replaced-events.fixture.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { checkLiveFault } from '../../src/scraping/live-faults.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

/** Two receivers on one sampling thread; the first one counts the time of CPUs, or of this process. */
async function startBoth(t: TestContext, settings: object) {
  const meter = createMeterReader();
  const sampling = createSampling(createFakeContext({ meter: meter.meter }));
  t.after(() => sampling.shutdown());
  const start = (own: object) =>
    startReceiver(
      t,
      factory,
      { sampling_interval: '5ms', flush_interval: '50ms', scan_interval: '10ms', ...own },
      { sampling, meter: meter.meter },
    );
  const beganMs = performance.now();
  const other = await start({ events: ['dummy'] });
  const others = listEvents();
  const running = await start(settings);
  return {
    running: [running, other],
    meter,
    counters: /sampler\.gaps/u,
    isSubject: (name: string) => name.startsWith('perf.event.time'),
    maxTotal: () => (availableParallelism() * (performance.now() - beganMs)) / 1000,
    listOwn: () => listEvents().filter((fd) => !others.includes(fd) && hasCounted(fd)),
  };
}

const targets = {
  'of the machine': { events: ['cpu-clock'] },
  'of a process': { events: ['task-clock'], machine: false, processes: { pids: [process.pid] } },
};

/** The logged reason of each fault. */
const faults = [
  ['truncated', 'expected 32 bytes, found 8, as for a group .*'],
  ['empty', 'expected 32 bytes, found 0, as for a pinned event .*'],
  ['refused', 'EISDIR'],
] as const;

for (const [name, settings] of Object.entries(targets)) {
  for (const [fault, reason] of faults) {
    test(
      `perf has gaps where counters ${name} are ${fault}, counts them, logs the reason once, and reads others`,
      { skip: perfRefused },
      async (t) => {
        const rig = await startBoth(t, settings);
        let end: (() => void) | undefined;
        await checkLiveFault(rig, {
          async begin() {
            await until(() => rig.listOwn().length > 0);
            end = replaceFiles(rig.listOwn(), faultyFiles[fault]);
            // The counters are reported after two tables without readings.
            await until(() =>
              rig.running.some(({ log }) => log.lines.some((line) => line.startsWith('warn: '))),
            );
          },
          end: () => end?.(),
          problems: [
            new RegExp(
              `Cannot read perf\\.event\\.time (?:cpu|task)-clock: ${reason}; trying again at every reading`,
              'u',
            ),
          ],
        });
      },
    );
  }
}
