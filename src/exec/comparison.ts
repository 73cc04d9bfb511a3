import type { ComparisonReport, RunReport } from './report.js';
import { compareMeans, type Difference } from './statistics.js';

/** @param first runs of the command with which the others are compared */
export function compareRuns(runs: readonly RunReport[], first: readonly RunReport[]): ComparisonReport {
  const compare = (valueOf: (run: RunReport) => number | undefined) => compareAll(runs, first, valueOf);
  return {
    wallSeconds: compare(({ wallSeconds }) => wallSeconds),
    cpuSeconds: compare(({ cpu }) => cpu.totalNs / 1e9),
    machineJoules: compare(({ energy }) => energy?.joules),
    netJoules: compare(({ energy }) => energy?.baseline?.netJoules),
    commandJoules: compare(({ energy }) => energy?.shares?.command),
  };
}

function compareAll(
  runs: readonly RunReport[],
  first: readonly RunReport[],
  valueOf: (run: RunReport) => number | undefined,
): Difference | undefined {
  const [values, others] = [runs, first].map((some) => some.map(valueOf).filter((one) => one !== undefined));
  const isComplete = values?.length === runs.length && others?.length === first.length;
  return isComplete ? compareMeans(values, others) : undefined;
}
