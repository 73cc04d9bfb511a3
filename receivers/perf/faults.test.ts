import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createMeterReader } from '../../src/component/fakes.js';
import { libc } from '../../src/linux/libc.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { checkLiveFault } from '../../src/scraping/live-faults.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

const dup2 = libc.func('int dup2(int from, int to)') as (from: number, to: number) => number;
const dup = libc.func('int dup(int from)') as (from: number) => number;

/** Descriptors of perf events of this process. */
function listEvents(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .filter((fd) => linkOf(fd).includes('perf_event'))
    .map(Number);
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The folder's own descriptor.
    return '';
  }
}

/** Lets every read of these descriptors fail. @returns ends that */
function refuseReads(fds: readonly number[]): () => void {
  const folder = openSync('/', 'r');
  const copies = fds.map((fd) => dup(fd));
  for (const fd of fds) dup2(folder, fd);
  closeSync(folder);
  return () => {
    for (const [i, fd] of fds.entries()) {
      dup2(copies[i] ?? -1, fd);
      closeSync(copies[i] ?? -1);
    }
  };
}

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
    listOwn: () => listEvents().filter((fd) => !others.includes(fd)),
  };
}

const targets = {
  'of the machine': { events: ['cpu-clock'] },
  'of a process': { events: ['task-clock'], machine: false, processes: { pids: [process.pid] } },
};

for (const [name, settings] of Object.entries(targets)) {
  test(
    `perf has gaps where the kernel refuses to read counters ${name}, counts them, logs the errno once, and reads others`,
    { skip: perfRefused },
    async (t) => {
      const rig = await startBoth(t, settings);
      let end: (() => void) | undefined;
      await checkLiveFault(rig, {
        async begin() {
          end = refuseReads(rig.listOwn());
          // The counters are reported after two tables without readings.
          await until(() =>
            rig.running.some(({ log }) => log.lines.some((line) => line.startsWith('warn: '))),
          );
        },
        end: () => end?.(),
        problems: [
          /Cannot read perf\.event\.time (?:cpu|task)-clock: EISDIR; trying again at every reading/u,
        ],
      });
    },
  );
}
