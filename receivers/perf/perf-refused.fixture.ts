import { describeError } from '../../src/component/errors.js';
import { closePerfEvent, openPerfEvent, perfType, softwareEvent } from '../../src/linux/perf/event.js';

function findRefusal(): string | false {
  const event = { name: 'context-switches', type: perfType.software, config: softwareEvent.contextSwitches };
  try {
    closePerfEvent(openPerfEvent({ ...event, pid: -1, cpu: 0 }));
    return false;
  } catch (error) {
    if (process.env['JOULEMETRY_TEST_ROOT'] === 'required') throw error;
    return describeError(error);
  }
}

/** For tests: why events of the whole machine cannot be counted here; false when they can. */
export const perfRefused = findRefusal();
