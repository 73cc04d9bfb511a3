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
/** Before this, the clock of the machine has not been set: it has no battery and has not heard of any time server. */
const earliestNs = BigInt(Date.UTC(2020, 0, 1)) * 1_000_000n;
const maxRecordBytes = 256;

/** The instants that this run goes by, by procfs. */
const known = new Map<string, bigint>();

/**
 * The Unix time, in nanoseconds, of instant 0 of the clock in which a procfs gives the births of processes
 * (CLOCK_BOOTTIME): the same number for every component and every run of the collector during one boot of the
 * machine, so that a process has one creation time.
 *
 * No source of the kernel is such a number. CLOCK_REALTIME - CLOCK_BOOTTIME is constant while the clock is slewed but
 * jumps when it is set, and a reading is off by some 100 ns; `btime` of `/proc/stat` is its whole seconds and jumps as
 * well. So the difference is cut to a tick of 10 ms, kept for the whole run, and recorded with the boot's id in a
 * folder that is emptied at boot: the first run of the collector decides for all later ones.
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
  // Of a simulated machine, or in a time namespace in which procfs was mounted elsewhere.
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

/** Cut to a tick. Of many readings the largest is nearest: the clock of births is read after the other one. */
function measure(): bigint {
  const differences = Array.from({ length: 50 }, () => {
    const { realtimeNs, boottimeNs } = readClocks();
    return realtimeNs - boottimeNs;
  });
  const largestNs = differences.reduce((a, b) => (a > b ? a : b));
  return (largestNs / tick) * tick;
}

function isWithin(instantNs: bigint, secondNs: bigint): boolean {
  // A clock that is being set by a little between the two readings is still that of this machine.
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
