import { elementAt } from '../../src/element.js';
import { describeDomain } from '../../src/model/energy-domain.js';
import { ATTR_CPU_MODE, ATTR_CPU_PACKAGE } from '../../src/model/semantic-conventions.js';
import type { Resource, Series } from '../../src/model/series.js';
import { processCpuTime, processPackageTime } from '../../src/model/usage-metrics.js';
import type { Machine } from '../../src/simulation/machine.js';
import { describeSimulatedProcess, type SimulatedProcess } from '../../src/simulation/simulated-process.js';
import { isHardwareDomain, partName, trueEnergy } from './metrics.js';

/** A series and how its value is read. */
export interface Reading {
  readonly series: Series;
  read(): number;
}

/** Series that are published together, of a process or of the machine. */
export class CumulativeSeries {
  readonly series: readonly Series[];
  readonly #readings: readonly Reading[];
  readonly #bases: Float64Array;

  /** @param isFromZero false: counters start at their current values */
  constructor(readings: readonly Reading[], isFromZero: boolean) {
    this.#readings = readings;
    this.series = readings.map(({ series }) => series);
    this.#bases = Float64Array.from(readings, ({ series, read }) =>
      isFromZero || series.metric.kind === 'gauge' ? 0 : read(),
    );
  }

  /** The current values, in series order. */
  read(): number[] {
    return this.#readings.map(({ read }, i) => read() - elementAt(this.#bases, i));
  }
}

/** A simulated process and the start of its series. */
export interface ProcessOptions {
  readonly machine: Machine;
  readonly process: SimulatedProcess;
  /** Unix time in nanoseconds of the start of its series. */
  readonly start: bigint;
  /** Unix time in nanoseconds of its start. */
  readonly bornNs: bigint;
  readonly hasTruth: boolean;
  /** Whether usage per package is published. */
  readonly hasPackages: boolean;
}

/** CPU time of a process, as the process receiver reads it, and its true energy. */
export function createProcessReadings(options: ProcessOptions): Reading[] {
  const resource = { attributes: describeSimulatedProcess(options.process, options.bornNs) };
  return [
    ...createCpuReadings(options, resource),
    ...(options.hasPackages ? createPackageReadings(options, resource) : []),
    ...(options.hasTruth ? createTruth(options, resource) : []),
  ];
}

function createCpuReadings({ machine, process, start }: ProcessOptions, resource: Resource): Reading[] {
  const { systemPercent } = process.identity.program;
  const systemNs = () => (machine.cpuNsOf(process) * BigInt(systemPercent)) / 100n;
  const modes = [
    { mode: 'user', ns: () => machine.cpuNsOf(process) - systemNs() },
    { mode: 'system', ns: systemNs },
  ];
  return modes.map(({ mode, ns }) => ({
    series: { metric: processCpuTime, resource, attributes: { [ATTR_CPU_MODE]: mode }, start },
    read: () => Number(ns()) / 1e9,
  }));
}

/** A process never leaves its socket. */
function createPackageReadings({ machine, process, start }: ProcessOptions, resource: Resource): Reading[] {
  const attributes = { [ATTR_CPU_PACKAGE]: process.identity.socket };
  return [
    {
      series: { metric: processPackageTime, resource, attributes, start },
      read: () => Number(machine.cpuNsOf(process)) / 1e9,
    },
  ];
}

function createTruth({ machine, process, start }: ProcessOptions, resource: Resource): Reading[] {
  const { socket, gpu } = process.identity;
  return machine.domains.flatMap((domain, i): Reading[] => {
    const isUsed = isHardwareDomain(domain) && domain.place === (domain.kind === 'gpu' ? gpu : socket);
    if (!isUsed) return [];
    const attributes = { ...describeDomain(domain), [partName]: 'process' };
    return [
      {
        series: { metric: trueEnergy, resource, attributes, start },
        read: () => Number(machine.energyNjOf(process, i)) / 1e9,
      },
    ];
  });
}
