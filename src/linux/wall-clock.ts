import type { Clock } from './clock.js';
import { readClocks, type ClockReading } from './clocks.js';
import { WallAnchor } from './wall-anchor.js';

/** The clock of the main thread. */
export function createWallClock(read: () => ClockReading = readClocks): Clock {
  const anchor = new WallAnchor(read());
  let era = 0;
  return {
    wallNs: () => anchor.wallNs(process.hrtime.bigint()),
    monotonicNs: () => process.hrtime.bigint(),
    checkEra() {
      if (anchor.update(read()) !== 'same') era++;
      return era;
    },
  };
}
