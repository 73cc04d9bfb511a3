import { describeError } from '../../errors.js';
import { skipFor } from '../../testing/needs.fixture.js';
import { closePerfEvent, openPerfEvent, perfType, softwareEvent } from './event.js';

function findRefusal(place: { readonly pid: number; readonly cpu: number }): string | false {
  const event = { name: 'page-faults', type: perfType.software, config: softwareEvent.pageFaults };
  try {
    closePerfEvent(openPerfEvent({ ...event, ...place }));
    return false;
  } catch (error) {
    return skipFor(describeError(error));
  }
}

/** For tests: why events of a process, including the kernel, cannot be counted here; false if they can. */
export const perfEventsRefused = findRefusal({ pid: 0, cpu: -1 });

/** For tests: why events of a whole CPU cannot be counted here; false if they can. */
export const perfRefused = findRefusal({ pid: -1, cpu: 0 });
