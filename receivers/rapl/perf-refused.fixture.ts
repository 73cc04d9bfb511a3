import { describeError } from '../../src/component/errors.js';
import { closePerfEvent, openPerfEvent } from '../../src/linux/perf/event.js';

function findRefusal(): string | false {
  try {
    closePerfEvent(openPerfEvent({ name: 'cpu-clock', type: 1, config: 0, pid: -1, cpu: 0 }));
    return false;
  } catch (error) {
    if (process.env['JOULEMETRY_TEST_ROOT'] === 'required') throw error;
    return describeError(error);
  }
}

/** For tests: why counters of a whole CPU cannot be opened here; false when they can. */
export const perfRefused = findRefusal();
