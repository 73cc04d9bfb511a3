/** Network functions: IPMI 2.0, table 5-1, and DCMI 1.5, table 6-1. */
export const netFn = { sensor: 0x04, application: 0x06, storage: 0x0a, group: 0x2c } as const;

/** A controller on the management bus, by its address. */
export interface Controller {
  /** 0x20: the BMC itself. */
  readonly address: number;
  readonly channel: number;
  readonly lun: number;
}

export interface IpmiRequest {
  readonly netFn: number;
  readonly command: number;
  readonly bytes: readonly number[];
}

/** Sends requests to controllers. Blocks the calling thread until the response arrives. */
export interface IpmiTransport {
  /**
   * Sends a request.
   * @returns the completion code and the data behind it; valid until the next call
   * @throws Error if there is no response
   */
  send(to: Controller, request: IpmiRequest): Uint8Array;
  close(): void;
}

/** Completion codes: IPMI 2.0, table 5-2. */
export const completion = {
  ok: 0x00,
  nodeBusy: 0xc0,
  invalidCommand: 0xc1,
  timeout: 0xc3,
  reservationLost: 0xc5,
  lengthInvalid: 0xc7,
  lengthExceeded: 0xc8,
  cannotReturnBytes: 0xca,
  notPresent: 0xcb,
} as const;

const meanings: ReadonlyMap<number, string> = new Map([
  [completion.nodeBusy, 'node busy'],
  [completion.invalidCommand, 'invalid command'],
  [0xc2, 'command invalid for the logical unit'],
  [completion.timeout, 'timeout'],
  [0xc4, 'out of space'],
  [completion.reservationLost, 'reservation lost'],
  [completion.lengthInvalid, 'request length invalid'],
  [completion.lengthExceeded, 'request length exceeded'],
  [completion.cannotReturnBytes, 'cannot return that many bytes'],
  [completion.notPresent, 'sensor or record not present'],
  [0xcc, 'invalid field in the request'],
  [0xce, 'no response'],
  [0xd0, 'SDR repository in update mode'],
  [0xd4, 'insufficient privilege'],
  [0xd5, 'not supported in this state'],
  [0xff, 'unspecified error'],
]);

/** The response to a request was an error, or invalid. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  /** The completion code; NaN: the response is invalid. */
  readonly code: number;

  constructor(message: string, code = NaN) {
    super(message);
    this.code = code;
  }
}

function createRefusal(what: string, code: number): AnswerError {
  const hex = `0x${code.toString(16).padStart(2, '0')}`;
  const found = `${hex}, ${meanings.get(code) ?? 'a code of its own'}`;
  return new AnswerError(`Cannot ${what}: expected completion code 0x00, found ${found}`, code);
}

/** The BMC of this machine, through its system interface. */
export const systemController: Controller = { address: 0x20, channel: 0, lun: 0 };

/** Maximum attempts for a request with one of these completion codes. A timeout has already taken seconds. */
const maxAttempts: ReadonlyMap<number, number> = new Map([
  [completion.nodeBusy, 5],
  [completion.timeout, 2],
]);
const firstPauseMs = 10;

/** A BMC. Requests are repeated while it is busy. */
export class Bmc {
  readonly #transport: IpmiTransport;
  readonly #pause: (ms: number) => void;

  /** @param pause blocks this thread */
  constructor(transport: IpmiTransport, pause: (ms: number) => void = sleep) {
    this.#transport = transport;
    this.#pause = pause;
  }

  /**
   * Sends a request to the BMC.
   * @param what for messages: `read the device id`
   * @param minBytes the minimum length of a valid response, without the completion code
   * @returns the response without the completion code
   * @throws AnswerError if the response is an error or too short, Error if there is none
   */
  ask(what: string, request: IpmiRequest, minBytes = 0): Uint8Array {
    return this.askController(systemController, what, request, minBytes);
  }

  /** Sends a request to another controller. */
  askController(to: Controller, what: string, request: IpmiRequest, minBytes = 0): Uint8Array {
    const answer = this.#sendPatiently(to, request);
    const [code] = answer;
    if (code === undefined) throw new AnswerError(`Cannot ${what}: expected a completion code, found none`);
    if (code !== completion.ok) throw createRefusal(what, code);
    if (answer.length > minBytes) return answer.subarray(1);
    throw new AnswerError(`Cannot ${what}: expected ${minBytes} bytes, found ${answer.length - 1}`);
  }

  close(): void {
    this.#transport.close();
  }

  #sendPatiently(to: Controller, request: IpmiRequest): Uint8Array {
    for (let attempt = 1; ; attempt++) {
      const answer = this.#transport.send(to, request);
      if (attempt >= (maxAttempts.get(answer[0] ?? completion.ok) ?? 1)) return answer;
      this.#pause(firstPauseMs * 2 ** attempt);
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
