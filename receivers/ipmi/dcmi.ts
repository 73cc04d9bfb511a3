import { AnswerError, completion, netFn, type Bmc } from './bmc.js';

// Power from the Data Center Manageability Interface: DCMI 1.5, sections 6.1 and 6.6.

const groupExtension = 0xdc;
const getCapabilities = 0x01;
const getPowerReading = 0x02;
const enhancedAttributes = 5;
const systemPower = 0x01;
const enhancedSystemPower = 0x02;
const measurementActive = 0x40;
/**
 * The bit that OpenBMC set in 2023, until it was corrected. Before that, it set neither the bit nor the times, and
 * all four figures to the power: getPowerReading in dcmihandler.cpp of openbmc/phosphor-host-ipmid.
 */
const misplacedActive = 0x02;

/** Power of the whole host; NaN: unknown to the BMC. */
export interface PowerReading {
  readonly watts: number;
  /** Over the period that ends now. */
  readonly minWatts: number;
  readonly maxWatts: number;
  readonly averageWatts: number;
  readonly periodMs: number;
}

/**
 * Reads the power of the host.
 * @returns undefined if power measurement is not active
 * @throws AnswerError with `invalidCommand` if the BMC has no DCMI
 */
export function readPower(bmc: Bmc): PowerReading | undefined {
  return parsePower(askPower(bmc, systemPower, 0));
}

/** A rolling window over which a BMC averages power. */
export interface RollingWindow {
  /** `5s`, `1min`: `hw.power.window`. */
  readonly name: string;
  /** The encoding of DCMI. */
  readonly code: number;
}

const windowUnits = ['s', 'min', 'h', 'd'];

/** The windows of the enhanced power statistics; empty if the BMC does not have these. */
export function readRollingWindows(bmc: Bmc): readonly RollingWindow[] {
  try {
    const request = {
      netFn: netFn.group,
      command: getCapabilities,
      bytes: [groupExtension, enhancedAttributes],
    };
    const what = 'read the enhanced power statistics that DCMI has';
    const answer = checkGroup(what, bmc.ask(what, request, 5));
    // Group, two bytes of version, revision, and the number of windows.
    const windows = Array.from(answer.subarray(5, 5 + (answer[4] ?? 0)), (code) => {
      return { code, name: `${code & 0x3f}${windowUnits[code >> 6]}` };
    });
    return windows.filter(({ code }) => (code & 0x3f) !== 0);
  } catch (error) {
    if (error instanceof AnswerError) return [];
    throw error;
  }
}

/** The mean power over a window that ends now, in watts; NaN if unknown. */
export function readRollingAverage(bmc: Bmc, { code }: RollingWindow): number {
  return parsePower(askPower(bmc, enhancedSystemPower, code))?.averageWatts ?? NaN;
}

/** Whether an error means that the BMC lacks the command or the data. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof AnswerError && !transient.has(error.code);
}

const transient: ReadonlySet<number> = new Set([completion.nodeBusy, completion.timeout, 0xff]);

function askPower(bmc: Bmc, mode: number, attributes: number): Uint8Array {
  const request = {
    netFn: netFn.group,
    command: getPowerReading,
    bytes: [groupExtension, mode, attributes, 0],
  };
  const what = 'read the power by DCMI';
  return checkGroup(what, bmc.ask(what, request, 18));
}

/** @throws AnswerError if a response is not from DCMI */
function checkGroup(what: string, answer: Uint8Array): Uint8Array {
  if (answer[0] === groupExtension) return answer;
  throw new AnswerError(`Cannot ${what}: expected the group 0xdc in its answer, found "${answer[0]}"`);
}

function parsePower(answer: Uint8Array): PowerReading | undefined {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const figures = [1, 3, 5, 7].map((at) => checkWatts(view.getUint16(at, true)));
  const [watts, minWatts, maxWatts, averageWatts] = figures as [...numbers: [number, number, number, number]];
  const [timestamp, periodMs] = [view.getUint32(9, true), view.getUint32(13, true)];
  const state = view.getUint8(17);
  if ((state & (measurementActive | misplacedActive)) !== 0)
    return { watts, minWatts, maxWatts, averageWatts, periodMs };
  const isOnlyPower = timestamp === 0 && periodMs === 0 && figures.every((one) => one === watts);
  return isOnlyPower ? { watts, minWatts: NaN, maxWatts: NaN, averageWatts: NaN, periodMs: NaN } : undefined;
}

/** The power of a running host is never 0; BMCs report 0, or all bits set, if the power is not known yet. */
function checkWatts(watts: number): number {
  return watts === 0 || watts === 0xffff ? NaN : watts;
}
