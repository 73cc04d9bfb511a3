import { AnswerError, completion, netFn, type Bmc } from './bmc.js';

// Power by the Data Center Manageability Interface: DCMI 1.5, sections 6.1 and 6.6.

const groupExtension = 0xdc;
const getCapabilities = 0x01;
const getPowerReading = 0x02;
const enhancedAttributes = 5;
const systemPower = 0x01;
const enhancedSystemPower = 0x02;
const measurementActive = 0x40;

/** Power of the whole host; NaN: the BMC does not know it. */
export interface PowerReading {
  readonly watts: number;
  /** Over the period, up to now. */
  readonly minWatts: number;
  readonly maxWatts: number;
  readonly averageWatts: number;
  readonly periodMs: number;
}

/**
 * Reads the power of the host.
 * @returns undefined where power measurement is not active
 * @throws AnswerError with `invalidCommand` where the BMC has no DCMI
 */
export function readPower(bmc: Bmc): PowerReading | undefined {
  return parsePower(askPower(bmc, systemPower, 0));
}

/** A time over which a BMC averages power, on and on. */
export interface RollingWindow {
  /** `5s`, `1min`: `hw.power.window`. */
  readonly name: string;
  /** As the BMC codes it. */
  readonly code: number;
}

const windowUnits = ['s', 'min', 'h', 'd'];

/** The windows of the enhanced power statistics; none where the BMC has no such statistics. */
export function readRollingWindows(bmc: Bmc): readonly RollingWindow[] {
  try {
    const request = {
      netFn: netFn.group,
      command: getCapabilities,
      bytes: [groupExtension, enhancedAttributes],
    };
    const what = 'read the enhanced power statistics that DCMI has';
    const answer = checkGroup(what, bmc.ask(what, request, 5));
    // The group, two bytes of version, the revision, and how many windows follow.
    const windows = Array.from(answer.subarray(5, 5 + (answer[4] ?? 0)), (code) => {
      return { code, name: `${code & 0x3f}${windowUnits[code >> 6]}` };
    });
    return windows.filter(({ code }) => (code & 0x3f) !== 0);
  } catch (error) {
    if (error instanceof AnswerError) return [];
    throw error;
  }
}

/** The mean power over a window up to now, in watts; NaN where it is not known. */
export function readRollingAverage(bmc: Bmc, { code }: RollingWindow): number {
  return parsePower(askPower(bmc, enhancedSystemPower, code))?.averageWatts ?? NaN;
}

/** Whether an error says that the BMC has no such command, or nothing that it reads. */
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

/** @throws AnswerError when an answer is none of DCMI */
function checkGroup(what: string, answer: Uint8Array): Uint8Array {
  if (answer[0] === groupExtension) return answer;
  throw new AnswerError(`Cannot ${what}: expected the group 0xdc in its answer, found "${answer[0]}"`);
}

function parsePower(answer: Uint8Array): PowerReading | undefined {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  if ((view.getUint8(17) & measurementActive) === 0) return undefined;
  const [watts, minWatts, maxWatts, averageWatts] = [1, 3, 5, 7].map((at) =>
    checkWatts(view.getUint16(at, true)),
  ) as [...numbers: [number, number, number, number]];
  return { watts, minWatts, maxWatts, averageWatts, periodMs: view.getUint32(13, true) };
}

/** A host that runs this draws power: BMCs give 0, or all bits set, for what they do not know yet. */
function checkWatts(watts: number): number {
  return watts === 0 || watts === 0xffff ? NaN : watts;
}
