import { processEnergy } from './ledger-metrics.js';
import { hostEnergy, hwEnergy, meteredEnergyNames } from './shared-metrics.js';

/** The metric names of energy attributed to groups of processes, by the view that forms the groups. */
export const groupEnergyNames = {
  program: 'program.energy',
  cgroup: 'linux.cgroup.energy',
  unit: 'systemd.unit.energy',
  container: 'container.energy',
  pod: 'k8s.pod.energy',
  namespace: 'k8s.namespace.energy',
  job: 'job.energy',
  user: 'user.energy',
  service: 'service.energy',
  vm: 'vm.energy',
} as const;

/** Energy counters of hardware and of workloads; series with one name do not overlap. */
export const energyNames: readonly string[] = [
  hwEnergy.name,
  hostEnergy.name,
  processEnergy.name,
  ...Object.values(groupEnergyNames),
];

const energySuffix = '.energy';

/** Whether a metric name is that of an energy counter. */
export function isEnergyName(name: string): boolean {
  return name.endsWith(energySuffix);
}

/** The name of a metric derived from an energy counter: `process.energy` becomes `process.power`. */
export function deriveEnergyName(name: string, suffix: string): string {
  return `${name.slice(0, -energySuffix.length)}.${suffix}`;
}

/** Meter counters and metrics derived from them, to which the parts of a ledger must add up. */
export const meterNames: ReadonlySet<string> = new Set(
  [...meteredEnergyNames].flatMap((name) => [
    name,
    deriveEnergyName(name, 'carbon'),
    deriveEnergyName(name, 'cost'),
  ]),
);

/** Describes what is wrong with a list of energy counters. */
export function checkEnergyNames(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => !isEnergyName(name))
    .map(
      (name) => `metrics: expected energy counters, whose names end in "${energySuffix}", found "${name}"`,
    );
}
