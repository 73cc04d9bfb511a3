import { join } from 'node:path';
import { createGrant, describeProbe } from '../../src/component/probe.js';
import { describeCode, findErrorCode } from '../../src/errors.js';
import { withoutHierarchy } from '../../src/identity/cgroup-path.js';
import { readRegularText } from '../../src/linux/regular-file.js';
import { findFolders } from '../../src/linux/sysfs.js';
import {
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_LINUX_CGROUP,
  ATTR_PROCESS_PID,
  ATTR_SLURM_JOB_ACCOUNT,
  ATTR_SLURM_JOB_ID,
  ATTR_SLURM_JOB_NAME,
  ATTR_SLURM_JOB_PARTITION,
  ATTR_SLURM_JOB_USER,
} from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';
import type { Config } from './config.js';
import type { Lookup } from './lookup.js';
import type { Backend } from './source.js';

/** Variables that Slurm sets for every task of a job, and their attributes. */
const variables: ReadonlyMap<string, string> = new Map([
  ['SLURM_JOB_NAME', ATTR_SLURM_JOB_NAME],
  ['SLURM_JOB_USER', ATTR_SLURM_JOB_USER],
  ['SLURM_JOB_ACCOUNT', ATTR_SLURM_JOB_ACCOUNT],
  ['SLURM_JOB_PARTITION', ATTR_SLURM_JOB_PARTITION],
]);

/** Maximum processes read per job: the first ones are Slurm's, without these variables. */
const maxProcesses = 32;
/** Maximum folders read per job: each task has one. */
const maxFolders = 256;
const maxEnvironmentBytes = 4 * 1024 * 1024;

/** Names jobs by the environment of one of their processes. */
export class Slurm implements Backend {
  readonly title: string;
  readonly maxBatch = Infinity;
  readonly #config: Config['slurm'];
  /** The error that prevented reading an environment. */
  #refusal: unknown;

  constructor(config: Config['slurm']) {
    this.title = `environments of Slurm jobs (${config.procfs})`;
    this.#config = config;
  }

  covers({ attribute }: Lookup): boolean {
    return attribute === ATTR_SLURM_JOB_ID;
  }

  /** The cgroup exists before the first task runs. */
  mayAppear(): boolean {
    return true;
  }

  ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>> {
    const names = new Map<string, Attributes>();
    this.#refusal = undefined;
    for (const lookup of lookups) {
      const found = this.#findNames(lookup);
      if (found) names.set(lookup.key, found);
    }
    const isRefused = names.size === 0 && this.#refusal !== undefined;
    return isRefused ? Promise.reject(describeRefusal(this.#refusal)) : Promise.resolve(names);
  }

  close(): void {}

  #findNames({ id, resource }: Lookup): Attributes | undefined {
    for (const pid of this.#listProcesses(id, resource)) {
      const path = join(this.#config.procfs, String(pid), 'environ');
      try {
        const names = parseEnvironment(readRegularText(path, maxEnvironmentBytes), id);
        if (names) return names;
      } catch (error) {
        // A process that has ended in the meantime has no environment.
        if (['EACCES', 'EPERM'].includes(String(findErrorCode(error)))) this.#refusal = error;
      }
    }
    return undefined;
  }

  #listProcesses(id: string, resource: Attributes): readonly number[] {
    const pid = Number(resource[ATTR_PROCESS_PID]);
    const own = pid > 0 ? [pid] : [];
    return [...own, ...this.#listCgroup(findJobFolder(id, resource))].slice(0, maxProcesses);
  }

  /** The processes of a job's cgroup, in one of the hierarchies. */
  #listCgroup(folder: string | undefined): readonly number[] {
    if (folder === undefined) return [];
    const { cgroupfs } = this.#config;
    const hierarchies = ['', ...findFolders(cgroupfs)];
    const roots = hierarchies.map((hierarchy) => join(cgroupfs, hierarchy, folder));
    const root = roots.find((path) => findFolders(path).length > 0);
    return root === undefined ? [] : listProcessesBelow(root);
  }
}

/** The path of a job's cgroup: the resource's path up to the folder of the job. */
function findJobFolder(id: string, resource: Attributes): string | undefined {
  const line = String(resource[ATTR_PROCESS_LINUX_CGROUP] ?? '');
  const path = String(resource[ATTR_LINUX_CGROUP_PATH] ?? withoutHierarchy(line));
  const parts = path.split('/');
  const end = parts.indexOf(`job_${id}`);
  return end < 0 || parts.includes('..') ? undefined : parts.slice(0, end + 1).join('/');
}

function listProcessesBelow(root: string): readonly number[] {
  const pids: number[] = [];
  const folders = [root];
  for (let at = 0; at < Math.min(folders.length, maxFolders) && pids.length < maxProcesses; at += 1) {
    const folder = folders[at] ?? root;
    pids.push(...readProcesses(folder));
    folders.push(...findFolders(folder).map((name) => join(folder, name)));
  }
  return pids;
}

function readProcesses(folder: string): readonly number[] {
  try {
    return readRegularText(join(folder, 'cgroup.procs'))
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

/**
 * The names in the environment of a process of a job; undefined if it does not belong to this job.
 * @param text `NAME=value`, each terminated by a zero byte
 */
export function parseEnvironment(text: string, jobId: string): Attributes | undefined {
  const names: Record<string, string> = {};
  let isOfJob = false;
  for (const assignment of text.split('\0')) {
    const equals = assignment.indexOf('=');
    const [name, value] = [assignment.slice(0, equals), assignment.slice(equals + 1)];
    if (name === 'SLURM_JOB_ID') isOfJob = value === jobId;
    const attribute = variables.get(name);
    if (attribute !== undefined && value !== '') names[attribute] = value;
  }
  return isOfJob && Object.keys(names).length > 0 ? names : undefined;
}

function describeRefusal(error: unknown): Error {
  const remedies = createGrant(['CAP_SYS_PTRACE'], 'the environments of jobs');
  return new Error(describeProbe({ found: describeCode(error), remedies }), { cause: error });
}
