import type { CommandCounts } from './command-counters.js';
import type { ProgramReport } from './program-report.js';
import type { EnergyReport, RunReport } from './report.js';

/** Energy of a machine with one meter and one estimate. */
export const energy: EnergyReport = {
  method: 'measured',
  joules: 25,
  domains: [
    {
      id: 'package-0',
      name: 'package-0',
      type: 'cpu',
      isEstimated: false,
      joules: 20,
      isExtended: false,
      meanWatts: 10,
      peakWatts: 12.5,
      refreshSeconds: 0.001,
      uncertaintyJoules: 0.0058,
    },
    {
      id: 'dram-0',
      name: 'dram-0',
      type: 'memory',
      isEstimated: true,
      joules: 5,
      isExtended: false,
      meanWatts: 2.5,
      peakWatts: undefined,
      refreshSeconds: 0.01,
      uncertaintyJoules: undefined,
    },
  ],
  shares: { command: 15, commandUncertainty: 1.5, idle: 8, others: 2 },
  isIdleKnown: true,
  floorSources: ['learned'],
  baseline: { seconds: 1, watts: 4, netJoules: 17 },
};

/** A run of two seconds on such a machine. */
export const run: RunReport = {
  startedAt: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
  wallSeconds: 2,
  end: { exitCode: 0, signal: undefined },
  cpu: {
    totalNs: 3e9,
    userNs: 2.5e9,
    systemNs: 0.5e9,
    source: 'perf',
    refusal: undefined,
    programs: [{ name: '', cpuNs: 3e9, processes: 1 }],
  },
  programs: undefined,
  counts: undefined,
  maxRssBytes: 12_300_000,
  energy,
};

/** A run of this many seconds on a machine without meters. */
export function runOf(wallSeconds: number): RunReport {
  return { ...run, wallSeconds, energy: undefined };
}

/** A run in which events were counted. */
export function runWith(counts: CommandCounts): RunReport {
  return { ...run, counts };
}

/** What a program used: twice as many joules as seconds. */
export function programOf(name: string, processes: number, cpuSeconds: number): ProgramReport {
  return { name, processes, cpuSeconds, joules: 2 * cpuSeconds };
}
