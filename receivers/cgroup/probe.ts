import { readdirSync } from 'node:fs';
import type { Probe, Remedy } from '../../src/component/probe.js';
import { describeCode } from '../../src/errors.js';
import { findHierarchies, type Hierarchy } from '../../src/linux/cgroup/hierarchies.js';
import type { Config } from './config.js';

/** Checks which hierarchies are mounted and readable. */
export function probe(config: Config): Probe {
  const hierarchies = findHierarchies(config);
  const problems = hierarchies.flatMap(findProblem);
  if (hierarchies.length === problems.length) {
    const remedies = hierarchies.length === 0 ? [mountRemedy(config)] : problems;
    return { available: false, found: 'no cgroup hierarchy that can be read', remedies };
  }
  return {
    available: true,
    found: hierarchies.map(describeHierarchy).join(', '),
    remedies: [...problems, ...explainCpu(hierarchies), ...explainNamespace(hierarchies)],
  };
}

function describeHierarchy({ version, folder, controllers }: Hierarchy): string {
  return `${version === 2 ? 'cgroup2' : `cgroup (${controllers.join(',')})`} at ${folder}`;
}

function findProblem({ folder }: Hierarchy): readonly Remedy[] {
  try {
    readdirSync(folder);
    return [];
  } catch (error) {
    return [{ missing: `${folder}: ${describeCode(error)}`, command: `sudo chmod a+rx ${folder}` }];
  }
}

function mountRemedy({ cgroupfs, procfs }: Config): Remedy {
  if (cgroupfs !== '') return { missing: `cgroups in ${cgroupfs}`, command: 'set cgroupfs: ""' };
  return {
    missing: `a mounted cgroup hierarchy in ${procfs}/self/mountinfo`,
    command: 'mount -t cgroup2 none /sys/fs/cgroup',
  };
}

/** Version 2 always has CPU time; version 1 needs a controller. */
function explainCpu(hierarchies: readonly Hierarchy[]): readonly Remedy[] {
  const hasCpu = hierarchies.some(
    ({ version, controllers }) => version === 2 || controllers.includes('cpuacct'),
  );
  if (hasCpu) return [];
  const command = 'mount -t cgroup -o cpuacct none /sys/fs/cgroup/cpuacct';
  return [{ missing: 'CPU time: no hierarchy of the controller cpuacct is mounted', command }];
}

/** A container sees only the cgroups below its own, unless it shares the cgroup namespace of the host. */
function explainNamespace(hierarchies: readonly Hierarchy[]): readonly Remedy[] {
  if (hierarchies.some(({ root }) => root === '/' || root.startsWith('/..'))) return [];
  return [
    {
      missing: 'the cgroups outside this container',
      command: 'docker run --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:ro',
    },
  ];
}
