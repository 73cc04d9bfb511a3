import { existsSync } from 'node:fs';
import { describeError, describeErrors } from '../../src/component/errors.js';
import type { Remedy } from '../../src/component/probe.js';
import { PerfEventError } from '../../src/linux/perf/event.js';
import { findNames } from '../../src/linux/sysfs.js';
import { isVirtualMachine } from '../../src/linux/topology.js';
import { nameDomain, nameDomains } from './domain.js';
import { findPerfCounters, perfFolder } from './find-perf.js';
import { powercapFolder } from './find-powercap.js';
import type { PerfFailure } from './perf-group.js';
import { energyPath } from './powercap-reader.js';
import type { ZoneFailure } from './powercap-reader.js';

/** Why an interface was not taken. */
export interface Refusal {
  readonly reason: string;
  readonly remedies: readonly Remedy[];
}

const driverRemedy: Remedy = {
  missing: 'the kernel drivers of RAPL',
  command: 'sudo modprobe -a rapl intel_rapl_msr',
};

const machineRemedy: Remedy = {
  missing: 'energy counters, which a virtual machine has not',
  command: 'run joulemetry on the host of this virtual machine',
};

const hostRemedy: Remedy = {
  missing: "the host's sysfs, which this container hides",
  command: 'mount the host\'s /sys read-only at /host/sys and set "sysfs: /host/sys"',
};

function grant(capability: string, use: string): readonly Remedy[] {
  const short = capability.replace(/^CAP_/, '').toLowerCase();
  const ids = '--reuid "$(id -u)" --regid "$(id -g)" --init-groups';
  return [
    {
      missing: `${capability}, for ${use}`,
      command: `sudo setpriv ${ids} --inh-caps +${short} --ambient-caps +${short} -- joulemetry`,
    },
    { missing: `${capability}, for a systemd unit`, command: `AmbientCapabilities=${capability}` },
  ];
}

/** No package among the counters of the `power` PMU. */
export function explainNoPerf(sysfs: string): Refusal {
  const folder = perfFolder(sysfs);
  if (!existsSync(folder)) return explainNothing(sysfs, `perf_event: ${folder} is not here`);
  const others = nameDomains(findPerfCounters(sysfs));
  const found = others === '' ? 'no energy event' : `only ${others}, but no energy-pkg`;
  return explainNothing(sysfs, `perf_event: ${folder}/events has ${found}`);
}

/** No package among the zones of powercap. */
export function explainNoPowercap(sysfs: string): Refusal {
  const folder = powercapFolder(sysfs);
  const isMasked = findNames(folder).some((name) => name.startsWith('intel-rapl:'));
  if (!isMasked) return explainNothing(sysfs, `powercap: ${folder} has no intel-rapl zone of a package`);
  return { reason: `powercap: the zones in ${folder} cannot be followed`, remedies: [hostRemedy] };
}

function explainNothing(sysfs: string, found: string): Refusal {
  if (isVirtualMachine(sysfs)) return { reason: found, remedies: [machineRemedy] };
  // Where zones are shown, the drivers are loaded: the remedy is that of the zones.
  const isLoaded = findNames(powercapFolder(sysfs)).some((name) => name.startsWith('intel-rapl'));
  return { reason: found, remedies: isLoaded ? [] : [driverRemedy] };
}

/** Counters of the PMU that cannot be opened. */
export function explainPerfFailures(failures: readonly PerfFailure[]): Refusal {
  const isRefused = failures.some(
    ({ error }) => error instanceof PerfEventError && ['EACCES', 'EPERM'].includes(error.code),
  );
  const everyUser = {
    missing: 'perf_event for every user',
    command: 'sudo sysctl kernel.perf_event_paranoid=0',
  };
  const remedies = isRefused ? [...grant('CAP_PERFMON', 'the counters of perf_event'), everyUser] : [];
  return {
    reason: `perf_event: ${describeErrors(
      failures.map(({ error }) => error),
      ', ',
    )}`,
    remedies,
  };
}

/** Zones whose files, which only root may read, cannot be opened or read. */
export function explainZoneFailures(failures: readonly ZoneFailure[]): Refusal {
  const isRefused = failures.some(({ error }) => isForbidden(error));
  const remedies = isRefused ? grant('CAP_DAC_READ_SEARCH', 'the files of powercap') : [];
  return { reason: `powercap: ${describeErrors(failures.map(describeZoneFailure), ', ')}`, remedies };
}

function describeZoneFailure({ zone, error }: ZoneFailure): Error {
  const found = isForbidden(error)
    ? `${nameErrno(error)}, root or CAP_DAC_READ_SEARCH is needed`
    : nameErrno(error);
  return new Error(`Cannot read ${nameDomain(zone.domain)} from ${energyPath(zone)}: ${found}`, {
    cause: error,
  });
}

function isForbidden(error: unknown): boolean {
  return nameErrno(error) === 'EACCES';
}

function nameErrno(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : describeError(error);
}
