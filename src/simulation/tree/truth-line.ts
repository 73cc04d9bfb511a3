import type { EnergySensor } from '../energy-sensor.js';
import { concerns, isActive, type Fault } from '../fault.js';
import type { Machine } from '../machine.js';
import { listProcesses } from './standing-processes.js';

const njPerJoule = 1_000_000_000n;

/** The instants of a step: those of the truth, and when everything was written. */
export interface Step {
  /** Simulated time in microseconds. */
  readonly us: number;
  /** The same in the step before. */
  readonly beforeUs: number;
  /** Unix time in nanoseconds of the truth. */
  readonly wallNs: bigint;
  /** Unix time in nanoseconds at which the last file had been written. */
  readonly writtenNs: bigint;
}

/** Joules as a decimal fraction with every nanojoule. */
function describeJoules(nj: bigint): string {
  return `${nj / njPerJoule}.${String(nj % njPerJoule).padStart(9, '0')}`;
}

/** A line of JSON: all that is true at a step. Numbers are exact decimals; times in Unix nanoseconds are texts. */
export function describeTruth(machine: Machine, sensors: readonly EnergySensor[], step: Step): string {
  const { us, wallNs, writtenNs } = step;
  const domains = sensors.map((sensor, i) => describeSensor(machine, sensor, { index: i, us }));
  const processes = listProcesses(machine).map((process) => {
    const { pid, program } = process.identity;
    const energy = machine.domains.flatMap(({ name }, i) => {
      const nj = machine.energyNjOf(process, i);
      return nj === 0n ? [] : [`${quote(name)}:${describeJoules(nj)}`];
    });
    const who = `"pid":${pid},"name":${quote(program.name)},"cgroup":${quote(program.cgroup)}`;
    return `{${who},"cpu_ns":${machine.cpuNsOf(process)},"joules":{${energy.join(',')}}}`;
  });
  return (
    `{"time_ns":"${wallNs}","written_ns":"${writtenNs}","simulated_us":${us},"busy_ns":${machine.busyNs},` +
    `"domains":{${domains.join(',')}},"processes":[${processes.join(',')}],` +
    `"faults":[${listFaults(machine, sensors, step).join(',')}]}\n`
  );
}

function describeSensor(
  machine: Machine,
  sensor: EnergySensor,
  { index, us }: { readonly index: number; readonly us: number },
): string {
  const joules = describeJoules(machine.energyNj(index, us));
  const idle = describeJoules(machine.idleNj(index, us));
  const shown = describeJoules(sensor.shownNj(us));
  const counter = sensor.microjoules(us);
  return `${quote(sensor.domain.name)}:{"joules":${joules},"idle_joules":${idle},"shown_joules":${shown},"counter_uj":${counter}}`;
}

/** What went wrong since the step before, or is going wrong. */
function listFaults(machine: Machine, sensors: readonly EnergySensor[], { us, beforeUs }: Step): string[] {
  const scheduled = machine.spec.faults.filter(
    (fault) => isActive(fault, us) || (fault.atUs > beforeUs && fault.atUs <= us),
  );
  const byChance = sensors.flatMap((sensor) => {
    const kind = sensor.faultByChance(us);
    return kind === undefined ? [] : [{ kind, domain: sensor.domain.name }];
  });
  return [...scheduled.flatMap((fault) => spread(fault, sensors)), ...byChance].map((fault) =>
    JSON.stringify(fault),
  );
}

function spread(
  fault: Fault,
  sensors: readonly EnergySensor[],
): { kind: string; domain?: string; cpu?: number }[] {
  const { kind, cpu = 1 } = fault;
  if (kind === 'offline') return [{ kind, cpu }];
  if (kind === 'suspend') return [{ kind }];
  return sensors
    .filter(({ domain }) => concerns(fault, domain.name))
    .map(({ domain }) => ({ kind, domain: domain.name }));
}

function quote(text: string): string {
  return JSON.stringify(text);
}
