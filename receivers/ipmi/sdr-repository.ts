import { AnswerError, completion, netFn, type Bmc } from './bmc.js';

// The repository of sensor data records: IPMI 2.0, section 33, and of controllers without one, section 35.

/** Identifies the content of a repository until it changes. */
export type RepositoryStamp = string;

/** The commands of a repository, or those for the records of a controller's own sensors. */
interface RepositoryCommands {
  readonly netFn: number;
  readonly info: number;
  readonly reserve: number;
  readonly get: number;
  /** Range of the info that changes with the content; the end is the minimum length of the info. */
  readonly stamp: readonly [from: number, to: number];
  readonly minInfoBytes: number;
}

const mainRepository: RepositoryCommands = {
  netFn: netFn.storage,
  info: 0x20,
  reserve: 0x22,
  get: 0x23,
  // The number of records, and the times of the last addition and erase. The free space between them is
  // included.
  stamp: [1, 13],
  minInfoBytes: 13,
};

const deviceRecords: RepositoryCommands = {
  netFn: netFn.sensor,
  info: 0x20,
  reserve: 0x22,
  get: 0x21,
  // The number of sensors, flags and, if sensors change, the time of the last change.
  stamp: [0, 6],
  minInfoBytes: 2,
};

const lastRecord = 0xffff;
const headerBytes = 5;
/** All controllers should return 16 bytes in one response; smaller sizes are for those that do not. */
const chunkSizes = [16, 8, 4] as const;
const maxRecords = 4096;
/** Other programs reserve the repository, too. */
const maxLostReservations = 20;

/** Reads the records of a repository, each in parts. */
export class SdrRepository {
  readonly #bmc: Bmc;
  readonly #commands: RepositoryCommands;
  #reservation: readonly [number, number] = [0, 0];
  #chunk = 0;
  #lost = 0;

  /**
   * @param hasRepository whether the BMC has a repository, according to `Get Device ID`, or only records of its
   * own sensors
   */
  constructor(bmc: Bmc, hasRepository: boolean) {
    this.#bmc = bmc;
    this.#commands = hasRepository ? mainRepository : deviceRecords;
  }

  /** A stamp that changes when records are added, erased or replaced. */
  readStamp(): RepositoryStamp {
    const { netFn: fn, info: command, stamp, minInfoBytes } = this.#commands;
    const request = { netFn: fn, command, bytes: [] };
    const info = this.#bmc.ask('read the state of the SDR repository', request, minInfoBytes);
    return Buffer.from(info.subarray(...stamp)).toString('hex');
  }

  /** Yields one record after another, or undefined when the caller may pause. @throws Error if they cannot be read */
  *readRecords(): Generator<Uint8Array | undefined> {
    this.#reserve();
    this.#lost = 0;
    let id = 0;
    for (let count = 0; count < maxRecords && id !== lastRecord; count++) {
      const { record, next } = yield* this.#readRecord(id);
      yield record;
      if (next === id)
        throw new AnswerError(`Cannot read SDR ${id}: expected another record after it, found itself`);
      id = next;
    }
  }

  *#readRecord(id: number): Generator<undefined, { record: Uint8Array; next: number }> {
    const first = this.#readPart(id, 0, headerBytes);
    const record = new Uint8Array(headerBytes + (first.part[4] ?? 0));
    record.set(first.part);
    for (let at = headerBytes; at < record.length;) {
      yield undefined;
      const count = Math.min(chunkSizes[this.#chunk] ?? 1, record.length - at);
      const { part } = this.#readPart(id, at, count);
      record.set(part, at);
      at += part.length;
    }
    return { record, next: first.next };
  }

  #readPart(id: number, offset: number, count: number): { next: number; part: Uint8Array } {
    for (;;) {
      try {
        return this.#askPart(id, offset, count);
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error;
        if (error.code === completion.reservationLost && this.#lost < maxLostReservations) {
          this.#lost += 1;
          this.#reserve();
        } else if (isTooLong(error.code) && count > headerBytes && this.#chunk < chunkSizes.length - 1) {
          this.#chunk += 1;
          return this.#readPart(id, offset, Math.min(count, chunkSizes[this.#chunk] ?? 1));
        } else throw error;
      }
    }
  }

  #askPart(id: number, offset: number, count: number): { next: number; part: Uint8Array } {
    const bytes = [...this.#reservation, id & 0xff, id >> 8, offset, count];
    const request = { netFn: this.#commands.netFn, command: this.#commands.get, bytes };
    const answer = this.#bmc.ask(`read SDR ${id}`, request, 3);
    const [low = 0, high = 0] = answer;
    const part = answer.slice(2, 2 + count);
    if (offset === 0 && part.length < headerBytes)
      throw new AnswerError(
        `Cannot read SDR ${id}: expected a header of ${headerBytes} bytes, found ${part.length}`,
      );
    return { next: low | (high << 8), part };
  }

  #reserve(): void {
    const { netFn: fn, reserve: command } = this.#commands;
    const answer = this.#bmc.ask('reserve the SDR repository', { netFn: fn, command, bytes: [] }, 2);
    this.#reservation = [answer[0] ?? 0, answer[1] ?? 0];
  }
}

function isTooLong(code: number): boolean {
  return (
    code === completion.cannotReturnBytes ||
    code === completion.lengthInvalid ||
    code === completion.lengthExceeded ||
    code === 0xff
  );
}
