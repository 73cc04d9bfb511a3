import { closeSync, constants, openSync, writeSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { libc } from '../../src/linux/libc.js';
import { sensorBytes } from './protocol.js';

const grantpt: (fd: number) => number = libc.func('int grantpt(int fd)');
const unlockpt: (fd: number) => number = libc.func('int unlockpt(int fd)');
const ptsname: (fd: number) => string = libc.func('char *ptsname(int fd)');
const readBytes: (fd: number, buffer: Uint8Array, size: number) => number = libc.func(
  'long read(int fd, void *buffer, size_t count)',
);

/** A sensor as the device has it. */
export function encodeSensor(name: string, reference: number, sensitivity: number, isUsed = true): Buffer {
  const bytes = Buffer.alloc(sensorBytes);
  bytes.write('MLX10', 0, 'latin1');
  bytes.write(name, 16, 'latin1');
  bytes.writeFloatLE(reference, 32);
  bytes.writeFloatLE(sensitivity, 36);
  bytes.writeUInt8(Number(isUsed), 40);
  return bytes;
}

/** The sensors of a device: a pair in use, and three that were never set up. */
export function createSensors(): readonly Buffer[] {
  const used = [encodeSensor('PCIe', 1.65, 0.165), encodeSensor('PCIe', 0, 0.275)];
  return [...used, ...Array.from({ length: 6 }, () => encodeSensor('', 0, 0, false))];
}

function packet(sensor: number, level: number, marker: number): readonly number[] {
  return [0x80 | (sensor << 4) | (level >> 6), (marker << 6) | (level & 0x3f)];
}

/** The packets of a set at a time of the device's clock. */
export function encodeSet(micros: number, levels: readonly number[]): Buffer {
  return Buffer.from([
    ...packet(7, micros & 0x3ff, 1),
    ...levels.flatMap((level, sensor) => packet(sensor, level, 0)),
  ]);
}

/** 10 A at 12 V. */
export const fullLevels: readonly number[] = [1023, 1023, 0, 0, 0, 0, 0, 0];

const microsPerSet = 50;

/** A device at the other end of a pseudo-terminal, which sends a set every 50 us of this machine's time. */
export class FakePowerSensor {
  readonly path: string;
  sensors = createSensors();
  levels = fullLevels;
  isSilent = false;
  readonly commands: string[] = [];
  readonly #fd: number;
  #startedMs: number | undefined;
  #sets = 0;
  #unsent: Buffer = Buffer.of();
  #next = 0;

  constructor(t: TestContext) {
    this.#fd = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    grantpt(this.#fd);
    unlockpt(this.#fd);
    this.path = ptsname(this.#fd);
    const timer = setInterval(() => this.#work(), 1);
    t.after(() => {
      clearInterval(timer);
      closeSync(this.#fd);
    });
  }

  /** The device goes on as if these sets had not been. */
  loseSets(ms: number): void {
    this.#sets += (ms * 1000) / microsPerSet;
  }

  #work(): void {
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
    if (!this.isSilent) this.#unsent = Buffer.concat([this.#unsent, bytes]);
  }

  #stream(ms: number): void {
    const sets: Buffer[] = [];
    for (; this.#sets * microsPerSet < ms * 1000; this.#sets++)
      sets.push(encodeSet(this.#sets * microsPerSet, this.levels));
    this.#answer(Buffer.concat(sets));
  }

  #send(): void {
    try {
      while (this.#unsent.length > 0) this.#unsent = this.#unsent.subarray(writeSync(this.#fd, this.#unsent));
    } catch {
      // The terminal is full.
    }
  }
}
