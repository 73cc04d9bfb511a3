import {
  ATTR_FLUX_JOB_ID,
  ATTR_OAR_JOB_ID,
  ATTR_PBS_JOB_ID,
  ATTR_SLURM_JOB_ID,
  ATTR_SLURM_STEP_ID,
  ATTR_SLURM_TASK_ID,
} from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { unescapeUnit } from './unit-name.js';

const pbsJob = /^\d+(?:\[\d*\])?(?:\.[\w.-]+)?$/;

/** `slurm` or `slurm_NODE` with v1, `slurmstepd.scope` or `NODE_slurmstepd.scope` with v2. */
export function findSlurm(name: string, above: readonly string[]): Attributes | undefined {
  const [, kind, id] = /^(job|step|task)_(.+)$/.exec(name) ?? [];
  if (id === undefined || !above.some((each) => /^slurm(?:_.+)?$|^(?:.+_)?slurmstepd\.scope$/.test(each))) {
    return undefined;
  }
  if (kind === 'job') return /^\d+$/.test(id) ? { [ATTR_SLURM_JOB_ID]: id } : undefined;
  return { [kind === 'step' ? ATTR_SLURM_STEP_ID : ATTR_SLURM_TASK_ID]: id };
}

/** Jobs of OAR 2 and 3, PBS, Torque and Flux. */
export function findBatchJob(name: string, above: readonly string[]): Attributes | undefined {
  const parent = above.at(-1) ?? '';
  const oar =
    parent === 'oar' ? /^.+_(\d+)$/.exec(name)?.[1] : /^oar-u\d+-j(\d+)(?:-.+|\..+)?$/.exec(name)?.[1];
  if (oar !== undefined) return { [ATTR_OAR_JOB_ID]: oar };
  const pbs = findPbsJob(name, above);
  if (pbs !== undefined) return { [ATTR_PBS_JOB_ID]: pbs };
  const flux = /^(?:imp-)?shell-(?:\d+-)?(f[1-9A-HJ-NP-Za-km-z]+)\.service$/.exec(name)?.[1];
  return flux === undefined ? undefined : { [ATTR_FLUX_JOB_ID]: flux };
}

/** The cgroups hook of PBS names folders with a configurable prefix, `pbs_jobs` by default. */
function findPbsJob(name: string, above: readonly string[]): string | undefined {
  const [grandparent = '', parent = ''] = [above.at(-2), above.at(-1)];
  const isBelowJobs = /^job(?:id|s)$/.test(parent) && /^pbs.*\.service$/.test(grandparent);
  const [, prefix, escaped = ''] = /^(pbs[a-z_]*)-(.+)\.slice$/.exec(name) ?? [];
  const isInSlice = prefix !== undefined && parent === `${prefix}.slice`;
  const id = isInSlice ? unescapeUnit(escaped) : name;
  return (isBelowJobs || isInSlice || /^(?:pbs|pbspro|torque)$/.test(parent)) && pbsJob.test(id)
    ? id
    : undefined;
}
