import type { RunRecord } from './measure-run.js';

/** The usage of the processes of a command's tree while they ran one program. */
export interface ProgramReport {
  readonly name: string;
  /** How many processes ended with this program. */
  readonly processes: number;
  readonly cpuSeconds: number;
  /** Attributed to it; undefined if nothing is attributed. */
  readonly joules: number | undefined;
}

/** @param charges joules of each program of the command; undefined: nothing is attributed */
export function reportPrograms(
  { cpu }: RunRecord,
  charges: readonly number[] | undefined,
): readonly ProgramReport[] {
  const byName = new Map<string, ProgramReport>();
  for (const [i, { name, processes, cpuNs }] of cpu.programs.entries()) {
    const one = { name, processes, cpuSeconds: cpuNs / 1e9, joules: charges?.[i] };
    const known = byName.get(name);
    byName.set(name, known ? sumPrograms(name, [known, one]) : one);
  }
  return [...byName.values()].toSorted((a, b) => b.cpuSeconds - a.cpuSeconds);
}

/** The shown programs, and the sum of the others. */
export interface ProgramTable {
  readonly shown: readonly ProgramReport[];
  readonly others: { readonly programs: number; readonly sum: ProgramReport } | undefined;
}

/** @param count maximum number of shown programs */
export function limitPrograms(programs: readonly ProgramReport[], count: number): ProgramTable {
  const rest = programs.slice(count);
  // A single remaining one would have a line in any case: its own is more informative.
  if (rest.length <= 1) return { shown: programs, others: undefined };
  return {
    shown: programs.slice(0, count),
    others: { programs: rest.length, sum: sumPrograms('others', rest) },
  };
}

function sumPrograms(name: string, programs: readonly ProgramReport[]): ProgramReport {
  const sum = (valueOf: (program: ProgramReport) => number) =>
    programs.reduce((total, program) => total + valueOf(program), 0);
  const hasEnergy = programs.some(({ joules }) => joules !== undefined);
  return {
    name,
    processes: sum(({ processes }) => processes),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    joules: hasEnergy ? sum(({ joules }) => joules ?? 0) : undefined,
  };
}
