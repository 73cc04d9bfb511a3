import { ATTR_HOST_NAME } from '../model/semantic-conventions.js';
import type { Resource } from '../model/series.js';
import type { Table } from '../model/table.js';
import { EnergyTables } from './energy-tables.js';
import type { Fault } from './fault.js';
import { createMachine, type Machine } from './machine.js';
import { createSpec, type MachineSpec } from './machine-spec.js';
import { UsageTables } from './usage-tables.js';

/** What the receivers of a simulated machine passed on, and what is true of it. */
export interface SimulatedTables {
  readonly tables: readonly Table[];
  /** Unix time in nanoseconds of the last row; that of the first is `epoch`. */
  readonly end: bigint;
  /** Joules that the series of `hw.energy` have counted, by `hw.id`: their last values together. */
  readonly joules: ReadonlyMap<string, number>;
  /** The machine, which stands at the end. */
  readonly machine: Machine;
}

/** What is simulated, and for how long. */
export interface SimulationOptions {
  readonly spec?: Partial<MachineSpec>;
  /** Whole seconds. */
  readonly seconds?: number;
  /** The machine, as its receivers name it. */
  readonly resource?: Resource;
}

/** Unix time in nanoseconds at which simulations begin. */
export const epoch = 1_700_000_000_000_000_000n;

const second = 1_000_000;

/** Energy without a reading for a while, and a counter that starts again. */
const standardFaults: readonly Fault[] = [
  { kind: 'failed', atUs: 1.15 * second, forUs: 0.3 * second },
  { kind: 'reset', atUs: 2.45 * second, forUs: 0, domain: 'package-0' },
];

/**
 * Tables for tests of what takes tables: ten readings of the energy and a scan of the processes each second, with
 * births, deaths, a gap and a reset; the same each time. Processes live for 1 ms to 8 s.
 */
export function simulateTables({ spec, seconds = 4, resource }: SimulationOptions = {}): SimulatedTables {
  const machine = createMachine(createSpec({ arrivalsPerSecond: 20, faults: standardFaults, ...spec }));
  const host = resource ?? { attributes: { [ATTR_HOST_NAME]: 'simulated' } };
  const energy = new EnergyTables(machine, host, epoch);
  const usage = new UsageTables(machine, host, epoch);
  const tables = Array.from({ length: seconds + 1 }, (_, i) => [
    ...energy.read(listInstants(i)),
    ...usage.scan(i * second),
  ]).flat();
  return { tables, end: epoch + BigInt(seconds * second) * 1000n, joules: energy.joules, machine };
}

/** The beginning, and ten in each second, the last at its end. */
function listInstants(seconds: number): number[] {
  if (seconds === 0) return [0];
  return Array.from({ length: 10 }, (_, i) => (seconds - 1) * second + ((i + 1) * second) / 10);
}
