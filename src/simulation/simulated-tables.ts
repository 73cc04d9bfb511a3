import { ATTR_HOST_NAME } from '../model/semantic-conventions.js';
import type { Resource } from '../model/series.js';
import type { Table } from '../model/table.js';
import { EnergyTables } from './energy-tables.js';
import type { Fault } from './fault.js';
import { createMachine, type Machine } from './machine.js';
import { createSpec, type MachineSpec } from './machine-spec.js';
import { UsageTables } from './usage-tables.js';

/** The output of a simulated machine's receivers, and the true values. */
export interface SimulatedTables {
  readonly tables: readonly Table[];
  /** Unix time in nanoseconds of the last row; the first is at `epoch`. */
  readonly end: bigint;
  /** Total joules of the series of `hw.energy`, by `hw.id`. */
  readonly joules: ReadonlyMap<string, number>;
  /** The machine, at the end of the simulation. */
  readonly machine: Machine;
}

/** Options of a simulation. */
export interface SimulationOptions {
  readonly spec?: Partial<MachineSpec>;
  /** Whole seconds. */
  readonly seconds?: number;
  /** The machine's resource. */
  readonly resource?: Resource;
}

/** Unix time in nanoseconds of the start of simulations. */
export const epoch = 1_700_000_000_000_000_000n;

const second = 1_000_000;

/** A gap in the energy readings, and a counter reset. */
const standardFaults: readonly Fault[] = [
  { kind: 'failed', atUs: 1.15 * second, forUs: 0.3 * second },
  { kind: 'reset', atUs: 2.45 * second, forUs: 0, domain: 'package-0' },
];

/**
 * Tables for tests of consumers: ten energy readings and one process scan per second, with starts and ends of
 * processes, a gap and a reset; the same each time. Lifetimes are 1 ms to 8 s.
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

/** The start, and ten per second, the last at the end. */
function listInstants(seconds: number): number[] {
  if (seconds === 0) return [0];
  return Array.from({ length: 10 }, (_, i) => (seconds - 1) * second + ((i + 1) * second) / 10);
}
