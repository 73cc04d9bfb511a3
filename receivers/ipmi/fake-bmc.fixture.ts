import { completion, netFn, type Controller, type IpmiRequest, type IpmiTransport } from './bmc.js';

/** Fields of a full sensor record, 0 by default. */
export interface RecordOptions {
  readonly number: number;
  readonly name: string;
  readonly owner?: number;
  readonly entity?: readonly [id: number, instance: number];
  readonly sensorType?: number;
  readonly eventType?: number;
  readonly units1?: number;
  readonly unit?: number;
  readonly linearization?: number;
  readonly m?: number;
  readonly b?: number;
  readonly k1?: number;
  readonly k2?: number;
}

/** Base units: IPMI 2.0, table 43-15. */
export const unit = { celsius: 1, volts: 4, amperes: 5, watts: 6, joules: 7, rpm: 18 } as const;

/** A full record: IPMI 2.0, table 43-1. */
export function createFullRecord(options: RecordOptions): Uint8Array {
  const { name, units1 = 0, unit: base = 0, linearization = 0, m = 1, b = 0, k1 = 0, k2 = 0 } = options;
  const record = new Uint8Array(48 + name.length);
  writeKey(record, 1, options);
  record.set([units1, base, 0, linearization], 20);
  record.set([m & 0xff, (m >> 2) & 0xc0, b & 0xff, (b >> 2) & 0xc0, 0, ((k2 & 15) << 4) | (k1 & 15)], 24);
  record[47] = 0xc0 | name.length;
  record.set(Buffer.from(name, 'latin1'), 48);
  return record;
}

/** A compact record: IPMI 2.0, table 43-2. */
export function createCompactRecord(options: RecordOptions): Uint8Array {
  const { name } = options;
  const record = new Uint8Array(32 + name.length);
  writeKey(record, 2, options);
  record[20] = 0xc0;
  record[31] = 0xc0 | name.length;
  record.set(Buffer.from(name, 'latin1'), 32);
  return record;
}

function writeKey(record: Uint8Array, type: number, options: RecordOptions): void {
  const { number, owner = 0x20, entity = [7, 1], sensorType = 1, eventType = 1 } = options;
  record.set([
    0,
    0,
    0x51,
    type,
    record.length - 5,
    owner,
    0,
    number,
    ...entity,
    0x7f,
    0x68,
    sensorType,
    eventType,
  ]);
}

/** State byte of a sensor with a valid reading; the bits of its states follow. */
export const scanning = 0xc0;

/** The response to `Get Power Reading` without the completion code. */
export function createPowerAnswer(
  watts: readonly number[],
  periodMs = 1000,
  state = 0x40,
): readonly number[] {
  const bytes = Buffer.alloc(18);
  bytes[0] = 0xdc;
  watts.forEach((one, i) => bytes.writeUInt16LE(one, 1 + 2 * i));
  bytes.writeUInt32LE(1_700_000_000, 9);
  bytes.writeUInt32LE(periodMs, 13);
  bytes[17] = state;
  return [...bytes];
}

/** A BMC with configured responses, which counts requests. */
export class FakeBmc implements IpmiTransport {
  records: readonly Uint8Array[] = [];
  /** By sensor number: the data behind the completion code. A number is an error code. */
  readonly readings = new Map<number, readonly number[] | number>();
  /** By mode: the response to `Get Power Reading`. A number is an error code. */
  readonly power = new Map<number, readonly number[] | number>();
  /** The windows of enhanced statistics, as encoded by DCMI. */
  windows: readonly number[] = [];
  /** Error codes of the first responses. */
  readonly errors: number[] = [];
  /** Maximum length of a part of a record that it returns. */
  maxPart = 255;
  /** Changes when the content of the repository changes. */
  additions = 0;
  /** Whether it has a repository; otherwise it has only records of its own sensors. */
  hasRepository = true;
  /** Error that every call throws. */
  failure: Error | undefined;
  /** Changes the responses to a command, such as `2c/2`. */
  damage: (answer: Uint8Array, command: string) => Uint8Array = (answer) => answer;
  readonly asked: string[] = [];
  isClosed = false;
  #reservation = 1;

  /** Simulates another program that reserves the repository. */
  loseReservation(): void {
    this.#reservation += 1;
  }

  send(_to: Controller, request: IpmiRequest): Uint8Array {
    if (this.failure) throw this.failure;
    this.asked.push(`${request.netFn.toString(16)}/${request.command.toString(16)}`);
    const error = this.errors.shift();
    const answer = error ?? this.#answer(request);
    const bytes = Uint8Array.from(typeof answer === 'number' ? [answer] : [completion.ok, ...answer]);
    return this.damage(bytes, this.asked.at(-1) ?? '');
  }

  close(): void {
    this.isClosed = true;
  }

  /** The number of requests with a command: `a/23`. */
  count(what: string): number {
    return this.asked.filter((one) => one === what).length;
  }

  #answer({ netFn: fn, command, bytes }: IpmiRequest): readonly number[] | number {
    const name = `${fn.toString(16)}/${command.toString(16)}`;
    const repository = this.hasRepository ? netFn.storage : netFn.sensor;
    if (name === '6/1')
      return [0x20, 1, 0x04, 0x22, 0x02, this.hasRepository ? 0xbf : 0xbd, 0xa2, 2, 0, 0x00, 1];
    if (fn === repository && command === 0x20) return this.#describeRepository();
    if (fn === repository && command === 0x22) return [++this.#reservation & 0xff, this.#reservation >> 8];
    if (fn === repository && command === (this.hasRepository ? 0x23 : 0x21)) return this.#readRecord(bytes);
    if (name === '4/2d') return this.readings.get(bytes[0] ?? 0) ?? completion.notPresent;
    if (name === '4/23') return [0, ...(bytes[1] === 10 ? [2, 0, 0, 0, 0, 0] : [3, 0, 5, 0, 0, 0])];
    if (name === '2c/1' && this.windows.length > 0)
      return [0xdc, 1, 5, 2, this.windows.length, ...this.windows];
    if (name === '2c/2') return this.power.get(bytes[1] ?? 0) ?? completion.invalidCommand;
    return completion.invalidCommand;
  }

  #describeRepository(): readonly number[] {
    const count = this.records.length;
    if (!this.hasRepository) return [count, 1, this.additions, 0, 0, 0];
    return [0x51, count, 0, 0, 0, this.additions, 0, 0, 0, 0, 0, 0, 0, 0x02];
  }

  #readRecord([low = 0, high = 0, id = 0, , offset = 0, count = 0]: readonly number[]):
    readonly number[] | number {
    if ((low | (high << 8)) !== this.#reservation) return completion.reservationLost;
    if (count > this.maxPart) return completion.cannotReturnBytes;
    const record = this.records[id];
    if (record === undefined) return completion.notPresent;
    const next = id + 1 < this.records.length ? [id + 1, 0] : [0xff, 0xff];
    return [...next, ...record.subarray(offset, offset + count)];
  }
}
