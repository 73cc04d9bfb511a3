import { createGrant, type Probe, type Remedy } from '../../src/component/probe.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import { describeUncounted } from '../../src/linux/perf/counted-event.js';
import { isVirtualMachine } from '../../src/linux/topology.js';
import { ATTR_PERF_EVENT_NAME } from '../../src/model/semantic-conventions.js';
import type { Config } from './config.js';
import { hasTargets } from './find-targets.js';
import { openCounters } from './open-counters.js';
import { createPlan, findEvents, type Target } from './plan.js';

/** Opens the configured events, for the machine or else for this process, and closes them again. */
export function probe(config: Config): Probe {
  const resolved = findEvents(config);
  const unknown = describeUncounted(resolved.unknown);
  const target: Target = config.machine ? { kind: 'machine' } : { kind: 'process', pid: process.pid };
  if (resolved.groups.length === 0) return describe(false, unknown, config);
  try {
    const counters = openCounters(createPlan(config, resolved, target), Infinity);
    counters.close();
    const counted = counters.layout.columns
      .filter(({ metricName }) => /^perf\.event\.(?!running_ratio)/.test(metricName))
      .map(({ attributes }) => String(attributes[ATTR_PERF_EVENT_NAME]));
    const found = `perf events ${[...new Set(counted)].join(', ')}`;
    return describe(true, [found, ...counters.notes, ...unknown], config);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    // Processes and cgroups require other privileges.
    return describe(!config.machine && hasTargets(config), [describeError(error), ...unknown], config);
  }
}

function describe(available: boolean, found: readonly string[], { sysfs }: Config): Probe {
  const text = found.join('; ');
  return { available, found: text, remedies: findRemedies(text, sysfs) };
}

function findRemedies(text: string, sysfs: string): readonly Remedy[] {
  const isForbidden = /EACCES|EPERM|user space only/.test(text);
  const lacksHardware = text.includes('ENOENT') && isVirtualMachine(sysfs);
  return [...(isForbidden ? grant : []), ...(lacksHardware ? [hardware] : [])];
}

const grant: readonly Remedy[] = [
  ...createGrant(['CAP_PERFMON'], 'perf events of the whole machine and of the kernel'),
  { missing: 'perf events for every user', command: 'sudo sysctl kernel.perf_event_paranoid=0' },
];

const hardware: Remedy = {
  missing: 'hardware counters, which are not available in this virtual machine',
  command: 'give it a virtual PMU (QEMU: -cpu host,pmu=on), or run joulemetry on its host',
};
