import type { EnergyReader } from './energy-reader.js';

const mostMs = 100;
/** A counter that moves does so every millisecond, however little its domain draws. */
const othersMs = 20;
const stepMs = 2;

/**
 * Reads until every counter shows what is expected; 20 ms more once one does, 100 ms at most. What was read does not
 * count: those that were not open before begin at 0 with the next reading.
 * @param previous the reader before this one: what it had open is known to count
 * @returns by domain, whether it showed that
 */
export function findMoving(
  reader: EnergyReader,
  isExpected: (joules: number) => boolean,
  previous?: EnergyReader,
): readonly boolean[] {
  const isKnown = reader.lives.map((life) => previous?.lives.includes(life) === true);
  const isMoving = [...isKnown];
  const values = new Float64Array(isKnown.length);
  for (let [ms, endMs] = [0, mostMs]; ms < endMs && isMoving.includes(false); ms += stepMs) {
    if (ms > 0) pause();
    reader.read(values, 0);
    values.forEach((joules, column) => (isMoving[column] ||= isExpected(joules)));
    if (isMoving.includes(true)) endMs = Math.min(endMs, ms + othersMs);
  }
  isKnown.forEach((known, column) => {
    if (!known) reader.restart(column);
  });
  return isMoving;
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stepMs);
}
