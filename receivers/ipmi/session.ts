import { describeError } from '../../src/errors.js';
import type { BlockingSession } from '../../src/scraping/serve-readings.js';
import { AnswerError, Bmc, netFn, type IpmiTransport } from './bmc.js';
import {
  isUnsupported,
  readPower,
  readRollingAverage,
  readRollingWindows,
  type PowerReading,
  type RollingWindow,
} from './dcmi.js';
import { findHostSensor, findNamedSensor } from './host-sensor.js';
import type {
  At,
  BmcIdentity,
  HostSource,
  Note,
  Opened,
  Reading,
  RollingAverage,
  ThreadOptions,
} from './protocol.js';
import { readSensor } from './sensor-reading.js';
import { SensorSweep } from './sensor-sweep.js';

const unknownPower: PowerReading = {
  watts: NaN,
  minWatts: NaN,
  maxWatts: NaN,
  averageWatts: NaN,
  periodMs: NaN,
};

/** What is open while the BMC responds. */
interface OpenBmc {
  readonly bmc: Bmc;
  readonly sweep: SensorSweep;
  readonly windows: readonly RollingWindow[];
}

/** Reads the power of the host at every reading, and sensors in short slices in between. */
export class Session implements BlockingSession<Reading> {
  readonly #options: ThreadOptions;
  readonly #openTransport: () => IpmiTransport;
  readonly #nowMs: () => number;
  #open: OpenBmc | undefined;
  #host: HostSource;
  /** Whether DCMI has, or may later have, the power of the host. */
  #hasDcmi = true;
  #notes: Note[] = [];
  /** Why averages could not be read at the last attempt. */
  #averageProblems: readonly string[] = [];

  /**
   * @param openTransport called again if it has failed
   * @param nowMs a monotonic clock
   */
  constructor(
    options: ThreadOptions,
    openTransport: () => IpmiTransport,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#openTransport = openTransport;
    this.#nowMs = nowMs;
  }

  open(): Opened {
    const { bmc, identity } = this.#reopen();
    try {
      return { ...this.#read(bmc), bmc: identity };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  read(): Reading {
    try {
      return this.#read(this.#open ?? this.#reopen().bmc);
    } catch (error) {
      // The driver may have been reloaded: the next reading reopens the device.
      if (!(error instanceof AnswerError)) this.close();
      throw error;
    }
  }

  close(): void {
    this.#open?.bmc.close();
    this.#open = undefined;
  }

  #reopen(): { readonly bmc: OpenBmc; readonly identity: BmcIdentity } {
    const bmc = new Bmc(this.#openTransport());
    try {
      const identity = readIdentity(bmc);
      const sweep = new SensorSweep(
        bmc,
        identity.hasSdrRepository,
        this.#options.sensorIntervalMs,
        this.#nowMs,
      );
      this.#open = { bmc, sweep, windows: readRollingWindows(bmc) };
      this.#findHost(bmc, sweep);
      return { bmc: this.#open, identity };
    } catch (error) {
      bmc.close();
      this.#open = undefined;
      throw error;
    }
  }

  #findHost(bmc: Bmc, sweep: SensorSweep): void {
    this.#host = undefined;
    const { hostPowerSensor: name } = this.#options;
    this.#hasDcmi = name === null;
    if (this.#hasDcmi && this.#readDcmi(bmc) !== undefined) this.#host = 'dcmi';
    else if (this.#options.sensorIntervalMs < Infinity || name !== null) this.#loadHost(sweep, name);
  }

  /** The sensor of the host must be known before other receivers claim its energy. */
  #loadHost(sweep: SensorSweep, name: string | null): void {
    try {
      sweep.load();
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      this.#notes.push({ level: 'warn', text: `Continuing without sensors: ${describeError(error)}` });
    }
    this.#host = name === null ? findHostSensor(sweep.sensors) : findNamedSensor(sweep.sensors, name);
    if (name === null || this.#host !== undefined) return;
    const text = `Cannot find sensor "${name}" of host_power_sensor: expected one of power, found none`;
    this.#notes.push({ level: 'warn', text });
  }

  /** @returns undefined if the power is not measured */
  #readDcmi(bmc: Bmc): PowerReading | undefined {
    try {
      return readPower(bmc);
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      if (this.#host === undefined && isUnsupported(error)) this.#hasDcmi = false;
      return undefined;
    }
  }

  #read({ bmc, sweep, windows }: OpenBmc): Reading {
    const problems: string[] = [];
    const power = this.#readHost(bmc, problems);
    const { sensors, values, isBegun, notes } = sweep.advance();
    // The sensor of the host may have changed with the repository.
    if (sensors !== undefined && typeof this.#host === 'object') this.#rematchHost(sensors);
    if (isBegun && this.#host === undefined && this.#hasDcmi && this.#readDcmi(bmc) !== undefined)
      this.#host = 'dcmi';
    const averages = isBegun && this.#host === 'dcmi' ? this.#readAverages(bmc, windows) : [];
    const all = [...this.#notes, ...notes];
    this.#notes = [];
    problems.push(...this.#averageProblems, ...sweep.problems);
    return { host: this.#host, sensors, power, averages, values, notes: all, problems };
  }

  #rematchHost(sensors: Parameters<typeof findHostSensor>[0]): void {
    const { hostPowerSensor: name } = this.#options;
    this.#host = name === null ? findHostSensor(sensors) : findNamedSensor(sensors, name);
  }

  #readHost(bmc: Bmc, problems: string[]): At<PowerReading> | undefined {
    const host = this.#host;
    if (host === undefined) return undefined;
    const read = () => (host === 'dcmi' ? readPower(bmc) : readHostSensor(bmc, host));
    return measure(() => attempt(read, problems) ?? unknownPower);
  }

  #readAverages(bmc: Bmc, windows: readonly RollingWindow[]): readonly RollingAverage[] {
    const problems: string[] = [];
    const averages = windows.map((window) => {
      const read = () => readRollingAverage(bmc, window);
      return { window: window.name, ...measure(() => attempt(read, problems) ?? NaN) };
    });
    this.#averageProblems = problems;
    return averages;
  }
}

/** @returns undefined if the BMC returns an error, which is added to the problems */
function attempt<Value>(read: () => Value, problems: string[]): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    problems.push(describeError(error));
    return undefined;
  }
}

function readHostSensor(bmc: Bmc, host: Exclude<HostSource, 'dcmi' | undefined>): PowerReading {
  const watts = readSensor(bmc, host);
  return { ...unknownPower, watts: watts > 0 ? watts : NaN };
}

/** Timestamps a reading with the middle of the call. */
function measure<Value>(read: () => Value): At<Value> {
  const beforeNs = process.hrtime.bigint();
  const value = read();
  return { value, atNs: (beforeNs + process.hrtime.bigint()) / 2n };
}

/** IPMI 2.0, section 20.1. */
function readIdentity(bmc: Bmc): BmcIdentity {
  const request = { netFn: netFn.application, command: 0x01, bytes: [] };
  const answer = bmc.ask('read the device id of the BMC', request, 11);
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const minor = view.getUint8(3).toString(16).padStart(2, '0');
  const version = view.getUint8(4);
  return {
    firmware: `${view.getUint8(2) & 0x7f}.${minor}`,
    ipmiVersion: `${version & 0x0f}.${version >> 4}`,
    hasSdrRepository: (view.getUint8(5) & 0x02) !== 0,
    manufacturer: view.getUint8(6) | (view.getUint8(7) << 8) | ((view.getUint8(8) & 0x0f) << 16),
    product: view.getUint16(9, true),
  };
}
