import { closeSync, constants, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { libc } from '../../src/linux/libc.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { sensorBytes } from './protocol.js';

const grantpt: (fd: number) => number = libc.func('int grantpt(int fd)');
const unlockpt: (fd: number) => number = libc.func('int unlockpt(int fd)');
const ptsname: (fd: number) => string = libc.func('char *ptsname(int fd)');
const readBytes: (fd: number, buffer: Uint8Array, size: number) => number = libc.func(
  'long read(int fd, void *buffer, size_t count)',
);

/** Encodes a sensor as the device stores it. */
export function encodeSensor(name: string, reference: number, sensitivity: number, isUsed = true): Buffer {
  const bytes = Buffer.alloc(sensorBytes);
  bytes.write('MLX10', 0, 'latin1');
  bytes.write(name, 16, 'latin1');
  bytes.writeFloatLE(reference, 32);
  bytes.writeFloatLE(sensitivity, 36);
  bytes.writeUInt8(Number(isUsed), 40);
  return bytes;
}

/** The sensors of a device: one pair in use, and three that were never configured. */
export function createSensors(): readonly Buffer[] {
  const used = [encodeSensor('PCIe', 1.65, 0.165), encodeSensor('PCIe', 0, 0.275)];
  return [...used, ...Array.from({ length: 6 }, () => encodeSensor('', 0, 0, false))];
}

function packet(sensor: number, level: number, marker: number): readonly number[] {
  return [0x80 | (sensor << 4) | (level >> 6), (marker << 6) | (level & 0x3f)];
}

/** Encodes the packets of a set at a time of the device's clock. */
export function encodeSet(micros: number, levels: readonly number[]): Buffer {
  return Buffer.from([
    ...packet(7, micros & 0x3ff, 1),
    ...levels.flatMap((level, sensor) => packet(sensor, level, 0)),
  ]);
}

/** Changes the timestamp of a set. */
function setTime(set: Buffer, micros: number): void {
  set[0] = 0xf0 | ((micros >> 6) & 0xf);
  set[1] = 0x40 | (micros & 0x3f);
}

/** 10 A at 12 V. */
export const fullLevels: readonly number[] = [1023, 1023, 0, 0, 0, 0, 0, 0];

const microsPerSet = 50;
/** A device that is not read keeps as much; later sets are lost. */
const maxUnsent = 1 << 16;

/** Energy of a set with full levels. */
const joulesPerSet = 120 * 50e-6;

/** How the stream is damaged; `silent`: nothing is sent, `slow`: each byte takes 70 ms. */
export type StreamFault = 'truncated' | 'silent' | 'garbage' | 'slow';

/** A fake device at the other end of a pseudo-terminal, which sends a set every 50 us of this machine's time. */
export class FakePowerSensor {
  /** A symbolic link to the terminal, such as udev creates for a connected device. */
  readonly path: string;
  sensors = createSensors();
  fault: StreamFault | undefined;
  /** The total energy measured, at full levels. */
  joules = 0;
  readonly commands: string[] = [];
  readonly #random = createRandom(5);
  readonly #template = encodeSet(0, fullLevels);
  #fd = -1;
  #startedMs: number | undefined;
  #sets = 0;
  #unsent: Buffer = Buffer.of();
  #next = 0;
  #byteMs = 0;

  /** @param name of the device, below `/dev` */
  constructor(t: TestContext, name = 'ttyACM0') {
    this.path = join(createFolder(), name);
    this.plugIn();
    const timer = setInterval(() => this.#work(), 1);
    t.after(() => {
      clearInterval(timer);
      this.unplug();
    });
  }

  /** Connects the device, with its clock and stream in the power-on state. */
  plugIn(): void {
    this.#fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    grantpt(this.#fd);
    unlockpt(this.#fd);
    rmSync(this.path, { force: true });
    symlinkSync(ptsname(this.#fd), this.path);
  }

  unplug(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    rmSync(this.path, { force: true });
    this.#fd = -1;
    this.#startedMs = undefined;
    this.#unsent = Buffer.of();
  }

  /** Drops the sets of this duration. */
  loseSets(ms: number): void {
    this.#sets += (ms * 1000) / microsPerSet;
  }

  /** Sends bytes between two sets. */
  disturb(bytes: Buffer): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
  }

  /** Stops damaging the stream, and discards what was not sent. */
  mend(): void {
    this.fault = undefined;
    this.#unsent = Buffer.of();
  }

  #work(): void {
    if (this.#fd < 0) return;
    const bytes = new Uint8Array(64);
    const count = readBytes(this.#fd, bytes, bytes.length);
    for (const byte of bytes.subarray(0, Math.max(0, count))) this.#obey(String.fromCharCode(byte));
    if (this.#startedMs !== undefined) this.#stream(performance.now() - this.#startedMs);
    this.#send();
  }

  #obey(command: string): void {
    this.commands.push(command);
    if (command === 'R') this.#next = 0;
    if (command === 'R' || command === 's') this.#answer(this.sensors[this.#next++] ?? Buffer.from('D'));
    if (command === 'T') this.#startedMs = undefined;
    if (command === 'S') [this.#startedMs, this.#sets] = [performance.now(), 0];
  }

  #answer(bytes: Buffer): void {
    this.#unsent = Buffer.concat([this.#unsent, this.#damage(bytes)]);
  }

  #damage(bytes: Buffer): Buffer {
    if (this.fault === 'silent') return Buffer.of();
    if (this.fault === 'truncated') return bytes.subarray(0, bytes.length / 2);
    if (this.fault === 'garbage') return Buffer.from(bytes.map(() => this.#random.whole(256)));
    return bytes;
  }

  #stream(ms: number): void {
    const sets: Buffer[] = [];
    for (; this.#sets * microsPerSet < ms * 1000; this.#sets++) {
      const set = Buffer.from(this.#template);
      setTime(set, this.#sets * microsPerSet);
      sets.push(this.#damage(set));
      this.joules += joulesPerSet;
    }
    if (this.#unsent.length < maxUnsent) this.#unsent = Buffer.concat([this.#unsent, ...sets]);
  }

  #send(): void {
    if (this.fault === 'slow') this.#sendByte();
    else this.#sendAll();
  }

  #sendByte(): void {
    const nowMs = performance.now();
    if (nowMs - this.#byteMs < 70 || this.#unsent.length === 0) return;
    this.#byteMs = nowMs;
    this.#unsent = this.#unsent.subarray(writeSync(this.#fd, this.#unsent, 0, 1));
  }

  #sendAll(): void {
    try {
      while (this.#unsent.length > 0) this.#unsent = this.#unsent.subarray(writeSync(this.#fd, this.#unsent));
    } catch {
      // The buffer of the terminal is full.
    }
  }
}
