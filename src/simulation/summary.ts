import { createMachine, type Machine } from './machine.js';
import type { MachineSpec } from './machine-spec.js';

/** True values of a simulated machine over a period. Energies in joules. */
export interface Summary {
  readonly seed: number;
  readonly seconds: number;
  readonly domains: readonly {
    readonly name: string;
    readonly joules: number;
    readonly idleJoules: number;
    readonly meanWatts: number;
  }[];
  readonly processes: readonly {
    readonly pid: number;
    readonly name: string;
    readonly cgroup: string;
    readonly bornAfterSeconds: number;
    /** null: it has not ended. */
    readonly diedAfterSeconds: number | null;
    readonly cpuSeconds: number;
    readonly joules: Readonly<Record<string, number>>;
  }[];
  readonly cgroups: readonly {
    readonly path: string;
    readonly cpuSeconds: number;
    readonly joules: Readonly<Record<string, number>>;
  }[];
  readonly cpuSeconds: number;
  readonly births: number;
}

/** Runs a machine for a period, at full speed. */
export function summarizeSimulation(spec: MachineSpec, durationUs: number): Summary {
  const machine = createMachine({ ...spec, rememberUs: durationUs + 1 });
  machine.advance(durationUs);
  const seconds = durationUs / 1e6;
  return {
    seed: spec.seed,
    seconds,
    domains: machine.domains.map(({ name }, i) => {
      const joules = Number(machine.energyNj(i, durationUs)) / 1e9;
      const idleJoules = Number(machine.idleNj(i, durationUs)) / 1e9;
      return { name, joules, idleJoules, meanWatts: joules / seconds };
    }),
    processes: listProcesses(machine),
    cgroups: machine.cgroups().map(({ path, cpuNs, energyNj }) => ({
      path,
      cpuSeconds: Number(cpuNs) / 1e9,
      joules: nameJoules(machine, energyNj),
    })),
    cpuSeconds: Number(machine.busyNs) / 1e9,
    births: machine.births,
  };
}

function listProcesses(machine: Machine): Summary['processes'] {
  const live = new Set(machine.liveProcesses);
  const secondsAt = (awakeUs: number) => machine.timeline.simulatedAt(awakeUs) / 1e6;
  return machine.processes.map((process) => {
    const { pid, program, bornUs, diesUs } = process.identity;
    return {
      pid,
      name: program.name,
      cgroup: program.cgroup,
      bornAfterSeconds: secondsAt(bornUs),
      diedAfterSeconds: live.has(process) ? null : secondsAt(diesUs),
      cpuSeconds: Number(machine.cpuNsOf(process)) / 1e9,
      joules: nameJoules(
        machine,
        machine.domains.map((_, i) => machine.energyNjOf(process, i)),
      ),
    };
  });
}

/** By domain, without those that are 0. */
function nameJoules(machine: Machine, energyNj: readonly bigint[]): Record<string, number> {
  const named = machine.domains.map(({ name }, i): [string, number] => [name, Number(energyNj[i]) / 1e9]);
  return Object.fromEntries(named.filter(([, joules]) => joules > 0));
}

const maxProcesses = 15;

/** The summary for people. */
export function describeSummary(summary: Summary): string {
  const { seed, seconds, domains, processes, births, cpuSeconds } = summary;
  const costs = processes.map((process) => ({ ...process, cost: costOf(process) }));
  const top = costs.toSorted((a, b) => b.cost - a.cost).slice(0, maxProcesses);
  return [
    `Machine of seed ${seed}, ${seconds} s: ${births} processes, ${cpuSeconds.toFixed(3)} s of CPU time`,
    '',
    row(['domain', 'joules', 'idle joules', 'mean watts']),
    ...domains.map(({ name, joules, idleJoules, meanWatts }) =>
      row([name, joules.toFixed(3), idleJoules.toFixed(3), meanWatts.toFixed(2)]),
    ),
    '',
    row(['process', 'joules', 'CPU seconds', 'J per CPU s']),
    ...top.map(({ pid, name, cost, cpuSeconds: used }) => {
      const perSecond = used === 0 ? 0 : cost / used;
      return row([`${pid} ${name}`, cost.toFixed(3), used.toFixed(3), perSecond.toFixed(2)]);
    }),
    ...(processes.length > top.length ? [`and ${processes.length - top.length} that used less`] : []),
    '',
  ].join('\n');
}

/** In domains that do not overlap. */
function costOf({ joules }: Summary['processes'][number]): number {
  return Object.entries(joules)
    .filter(([name]) => /^(package|dram|gpu)-/u.test(name))
    .reduce((sum, [, value]) => sum + value, 0);
}

function row([first = '', ...rest]: readonly string[]): string {
  return first.padEnd(24) + rest.map((cell) => cell.padStart(14)).join('');
}
