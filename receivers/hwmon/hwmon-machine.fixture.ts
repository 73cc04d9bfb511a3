import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { freeClaims, type Claims } from '../../src/component/claims.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { ClaimRegistry } from '../../src/pipeline/claims.js';
import { startPacedReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

/** A chip of a fake machine. */
export interface FakeChip {
  /** Below `/sys/devices`; without it, the folder in the class is not a link. */
  readonly device?: string;
  /** Whether the files are in the device's folder, as with older drivers. */
  readonly isOld?: boolean;
  /** Whether the chip has a link to its device. */
  readonly hasLink?: boolean;
  readonly files: Readonly<Record<string, string | number>>;
}

/** The sysfs of a machine with some chips, by their names in the class. */
export class FakeSysfs {
  readonly path = createFolder();

  constructor(chips: Readonly<Record<string, FakeChip>>) {
    mkdirSync(join(this.path, 'class/hwmon'), { recursive: true });
    mkdirSync(join(this.path, 'devices'), { recursive: true });
    for (const [name, chip] of Object.entries(chips)) this.add(name, chip);
  }

  add(name: string, { device, isOld = false, hasLink = true, files }: FakeChip): void {
    const entry = join(this.path, 'class/hwmon', name);
    const folder = device === undefined ? entry : join(this.path, 'devices', device, 'hwmon', name);
    mkdirSync(folder, { recursive: true });
    if (device !== undefined) {
      symlinkSync(join('../../devices', device, 'hwmon', name), entry);
      if (hasLink) symlinkSync('../..', join(folder, 'device'));
    }
    for (const [file, value] of Object.entries(files)) this.write(name, file, value, isOld);
  }

  remove(name: string): void {
    rmSync(join(this.path, 'class/hwmon', name), { recursive: true });
  }

  /** Writes a file of a chip in place: the kernel does not replace its files either. @returns its path */
  write(name: string, file: string, value: string | number, isOld = false): string {
    const path = join(this.path, 'class/hwmon', name, isOld ? 'device' : '', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${value}\n`);
    return path;
  }
}

/** The device of `createBoard`. */
export const board = 'platform/board';

/** A machine with one chip. */
export function createBoard(files: FakeChip['files']): FakeSysfs {
  return new FakeSysfs({ hwmon0: { device: board, files: { name: 'board', ...files } } });
}

/** Readings of a receiver by `metric hw.id`, with the averaging time of a mean. */
export type Readings = Readonly<Record<string, number>>;

export interface RigOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly claims?: Claims;
}

/** Starts a receiver on a machine, which is stopped when the test ends. It reads at its start and on request. */
export async function startRig(
  t: TestContext,
  sysfs: FakeSysfs,
  { settings = {}, claims = freeClaims }: RigOptions = {},
) {
  const config = { sysfs: sysfs.path, collection_interval: '1h', ...settings };
  const running = await startPacedReceiver(t, factory, config, { claims });
  const { collector: next, log, breakClock } = running;
  // The loop takes its first reading by itself; all others are requested by the test.
  await until(() => next.tables.length > 0);
  return {
    next,
    log: log.lines,
    breakClock,
    /** Advances the clock by some seconds and reads. */
    async read(seconds = 0): Promise<Readings> {
      const readings = await running.read(seconds);
      return Object.fromEntries(readings.map(([one, value]) => [nameSeries(one), value]));
    },
    /** The attributes of the last series with this name. */
    attributesOf(name: string): Attributes | undefined {
      return next.tables.flatMap(({ series }) => series).find((one) => nameSeries(one) === name)?.attributes;
    },
  };
}

function nameSeries({ metric, attributes }: Series): string {
  const window = attributes['hw.power.window'];
  const name = `${metric.name} ${String(attributes['hw.id'])}`;
  return window === undefined ? name : `${name} ${String(window)}`;
}

/** The joules of a second at these powers, by the metric's name and `hw.id`; only energies. */
export async function readEnergies(rig: Awaited<ReturnType<typeof startRig>>): Promise<Readings> {
  await rig.read();
  const readings = Object.entries(await rig.read(1));
  return Object.fromEntries(readings.filter(([name]) => name.includes('.energy ')));
}

/** Claims of a machine on which another receiver has claimed these domains. */
export function claimsAfter(...domains: readonly string[]): Claims {
  const registry = new ClaimRegistry();
  for (const domain of domains) registry.claimsFor('other').claim(`energy/${domain}`);
  return registry.claimsFor('hwmon');
}
