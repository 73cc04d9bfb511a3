import {
  findBootRecords,
  readBootId,
  readBootRecord,
  writeBootRecord,
  type BootRecords,
} from '../linux/boot-record.js';
import { readClocks } from '../linux/clocks.js';
import { tickNs } from '../linux/procfs.js';
import { readRegularFile } from '../linux/regular-file.js';

const second = 1_000_000_000n;
const tick = BigInt(tickNs);
/** An earlier time means that the clock has not been set: it has no battery and was not synchronized. */
const earliestNs = BigInt(Date.UTC(2020, 0, 1)) * 1_000_000n;
const maxRecordBytes = 256;

/** The instants used in this run, by procfs. */
const known = new Map<string, bigint>();

/**
 * The Unix time, in nanoseconds, of instant 0 of the clock in which procfs reports the start of processes
 * (CLOCK_BOOTTIME): the same number for every component and every run of the collector during one boot of the
 * machine, so that a process has one creation time.
 *
 * The kernel does not provide such a number. CLOCK_REALTIME - CLOCK_BOOTTIME is constant while the clock is
 * slewed but jumps when it is set, and a reading is off by some 100 ns; `btime` of `/proc/stat` is its whole
 * seconds and jumps as well. So the difference is truncated to a tick of 10 ms, kept for the whole run, and
 * recorded with the boot's id in a folder that is emptied at boot: the first run of the collector decides for
 * all later ones.
 */
export function readBootInstantNs(
  procfs: string,
  records: BootRecords = findBootRecords('boot-instant'),
): bigint {
  const before = known.get(procfs);
  if (before !== undefined) return before;
  const instantNs = findInstant(procfs, records);
  known.set(procfs, instantNs);
  return instantNs;
}

function findInstant(procfs: string, records: BootRecords): bigint {
  const measuredNs = measure();
  const secondsNs = readBootSecond(procfs);
  // A simulated machine, or a time namespace other than that in which procfs was mounted.
  if (secondsNs !== undefined && !isWithin(measuredNs, secondsNs)) return secondsNs;
  const boot = readBootId(procfs);
  if (boot === undefined) return measuredNs;
  const recorded = records.read.map((path) => readRecord(path, boot)).find((each) => each !== undefined);
  if (recorded !== undefined) return recorded;
  if (records.write !== undefined && measuredNs >= earliestNs) {
    writeBootRecord(records.write, boot, String(measuredNs));
  }
  return measuredNs;
}

/**
 * Truncated to a tick. The largest of many readings is the best: the clock of process starts is read after the
 * other one.
 */
function measure(): bigint {
  const differences = Array.from({ length: 50 }, () => {
    const { realtimeNs, boottimeNs } = readClocks();
    return realtimeNs - boottimeNs;
  });
  const largestNs = differences.reduce((a, b) => (a > b ? a : b));
  return (largestNs / tick) * tick;
}

function isWithin(instantNs: bigint, secondNs: bigint): boolean {
  // A small adjustment of the clock between the two readings does not mean another machine.
  return instantNs >= secondNs - second && instantNs < secondNs + 2n * second;
}

/** `btime` of `/proc/stat`, in nanoseconds. */
function readBootSecond(procfs: string): bigint | undefined {
  const seconds = /^btime (\d+)$/m.exec(readText(`${procfs}/stat`))?.[1];
  return seconds === undefined ? undefined : BigInt(seconds) * second;
}

function readText(path: string): string {
  try {
    return readRegularFile(path).toString('latin1');
  } catch {
    return '';
  }
}

function readRecord(path: string, boot: string): bigint | undefined {
  const instant = readBootRecord(path, boot, maxRecordBytes) ?? '';
  return /^\d{18,20}$/.test(instant) ? BigInt(instant) : undefined;
}
