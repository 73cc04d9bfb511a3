import assert from 'node:assert/strict';
import { parseCgroupPath } from './cgroup-path.js';

export const id = '34dc0b5e626f2c5c4c5170e34b10e7654ce36f0fcd532739f4445baabea03376';
export const inner = 'e73c55f3e7f5b6a9cfc32a89bf13e44d348bcc4fa7b079f804d61fb1532ddbe5';
export const uid = '74c13223-5a00-11e9-b385-42010a80018d';

/** A path or a line of /proc/PID/cgroup, and its expected attributes. */
export type Row = readonly [path: string, expected: Readonly<Record<string, string>>];

/** The possible attributes, by short names. */
export const attributes: Readonly<Record<string, string>> = {
  unit: 'systemd.unit',
  slice: 'systemd.slice',
  owner: 'systemd.owner.uid',
  container: 'container.id',
  runtime: 'container.runtime.name',
  name: 'container.name',
  pod: 'k8s.pod.uid',
  vm: 'vm.name',
  job: 'slurm.job.id',
  step: 'slurm.step.id',
  task: 'slurm.task.id',
  oar: 'oar.job.id',
  pbs: 'pbs.job.id',
  flux: 'flux.job.id',
};

/** Parses the paths and compares the results. */
export function checkPaths(rows: readonly Row[]): void {
  for (const [path, expected] of rows) {
    const named = Object.entries(expected).map(([short, value]) => [attributes[short], value]);
    assert.deepEqual(parseCgroupPath(path), Object.fromEntries(named), path);
  }
}
