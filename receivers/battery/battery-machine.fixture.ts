import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freeClaims, type Claims } from '../../src/component/claims.js';
import { startPacedReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

/** Properties of a supply, by the kernel's names. */
export type Properties = Readonly<Record<string, string | number>>;

/** An unplugged adapter. */
export const ac: Properties = { TYPE: 'Mains', ONLINE: 0 };

/** The battery in node_exporter's test fixtures (collector/fixtures). */
export const lenovo: Properties = {
  TYPE: 'Battery',
  STATUS: 'Discharging',
  PRESENT: 1,
  TECHNOLOGY: 'Li-ion',
  CYCLE_COUNT: 0,
  VOLTAGE_MIN_DESIGN: 10_800_000,
  VOLTAGE_NOW: 11_660_000,
  POWER_NOW: 5_002_000,
  ENERGY_FULL_DESIGN: 47_520_000,
  ENERGY_FULL: 45_070_000,
  ENERGY_NOW: 36_580_000,
  CAPACITY: 81,
  CAPACITY_LEVEL: 'Normal',
  MODEL_NAME: 'LNV-45N1',
  MANUFACTURER: 'LGC',
  SERIAL_NUMBER: 38_109,
};

/** The power supplies of a machine, which a test writes. */
export class FakeSupplies {
  readonly sysfs = createFolder();

  constructor(supplies: Readonly<Record<string, Properties>>) {
    mkdirSync(join(this.sysfs, 'class/power_supply'), { recursive: true });
    for (const [name, properties] of Object.entries(supplies)) this.write(name, properties);
  }

  path(name: string): string {
    return join(this.sysfs, 'class/power_supply', name, 'uevent');
  }

  write(name: string, properties: Properties): void {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    const lines = Object.entries({ NAME: name, ...properties }).map(([key, value]) => `${key}=${value}`);
    writeFileSync(this.path(name), lines.map((line) => `POWER_SUPPLY_${line}\n`).join(''));
  }
}

export interface RigOptions {
  readonly claims?: Claims;
  readonly settings?: object;
}

/** Starts a receiver on a machine, which is stopped when the test ends. */
export async function startRig(
  t: TestContext,
  { sysfs }: FakeSupplies,
  { claims = freeClaims, settings = {} }: RigOptions = {},
) {
  const config = { sysfs, collection_interval: '10s', ...settings };
  const running = await startPacedReceiver(t, factory, config, { claims });
  const { collector: next, log } = running;
  await until(() => next.tables.length > 0);
  return {
    next,
    log: log.lines,
    shutdown: () => running.receiver.shutdown(),
    /** Reads after some seconds: values by metric, name of the supply, limit and state, without states that are 0. */
    async read(seconds = 0): Promise<Readonly<Record<string, number>>> {
      const readings = await running.read(seconds);
      const values = readings.map(([{ metric, attributes }, value]): [string, number] => {
        const keys = ['hw.id', 'hw.limit_type', 'hw.state', 'hw.battery.state'];
        const names = keys.flatMap((key) => attributes[key] ?? []);
        return [[metric.name, ...names].join(' ').replace('power_supply/', ''), value];
      });
      return Object.fromEntries(
        values.filter(([name, value]) => !name.startsWith('hw.status') || value !== 0),
      );
    },
  };
}
