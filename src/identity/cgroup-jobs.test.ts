import { test } from 'node:test';
import { checkPaths, id, type Row } from './cgroup-path.fixture.js';

const docker = { container: id, runtime: 'docker' };
const slurmd = { unit: 'slurmstepd.scope', slice: 'system.slice' };

const jobs: readonly Row[] = [
  ['/slurm/uid_1000/job_17/step_0/task_3', { job: '17', step: '0', task: '3' }],
  [
    '10:devices:/slurm/uid_2101171/job_280678/step_interactive/task_0',
    { job: '280678', step: 'interactive', task: '0' },
  ],
  ['/slurm/uid_1000/job_195428/step_batch', { job: '195428', step: 'batch' }],
  ['/slurm/uid_1000/job_66583', { job: '66583' }],
  ['/slurm_node7/uid_1000/job_5/step_extern/task_0', { job: '5', step: 'extern', task: '0' }],
  ['/slurm/uid_1000', {}],
  [
    '0::/system.slice/slurmstepd.scope/job_1392969/step_0/user/task_0',
    { job: '1392969', step: '0', task: '0', ...slurmd },
  ],
  ['/system.slice/slurmstepd.scope/job_42/step_extern/user', { job: '42', step: 'extern', ...slurmd }],
  ['/system.slice/slurmstepd.scope/job_42/step_batch/slurm', { job: '42', step: 'batch', ...slurmd }],
  [
    '/system.slice/slurmstepd.scope/job_4/step_batch/user/task_special',
    { job: '4', step: 'batch', task: 'special', ...slurmd },
  ],
  ['/system.slice/slurmstepd.scope/system', slurmd],
  [
    '/system.slice/node7_slurmstepd.scope/job_9/step_1/user/task_12',
    { job: '9', step: '1', task: '12', unit: 'node7_slurmstepd.scope', slice: 'system.slice' },
  ],
  [`/slurm/uid_1/job_8/step_0/task_0/docker/${id}`, { job: '8', step: '0', task: '0', ...docker }],
  ['/oar/ann_45670', { oar: '45670' }],
  ['3:cpuset:/oar/ann_b_12', { oar: '12' }],
  [
    '/oar.slice/oar-u1000.slice/oar-u1000-j45670.slice/oar-u1000-j45670-s1.scope',
    { oar: '45670', unit: 'oar-u1000-j45670-s1.scope', slice: 'oar-u1000-j45670.slice' },
  ],
  ['/pbs_jobs.service/jobid/12345.pbs', { pbs: '12345.pbs', unit: 'pbs_jobs.service' }],
  ['/pbs_jobs.service/jobid/12345[1].gadi-pbs/child', { pbs: '12345[1].gadi-pbs', unit: 'pbs_jobs.service' }],
  ['/pbs_jobs.service/jobs/2404743.opbs', { pbs: '2404743.opbs', unit: 'pbs_jobs.service' }],
  ['/pbs.service/jobid/12.server', { pbs: '12.server', unit: 'pbs.service' }],
  [
    '/pbspro.slice/pbspro-12345.my\\x2dserver.slice',
    { pbs: '12345.my-server', slice: 'pbspro-12345.my\\x2dserver.slice' },
  ],
  ['/pbspro/12345.server', { pbs: '12345.server' }],
  ['/torque/12345[7].server', { pbs: '12345[7].server' }],
  [
    '/user.slice/user-500.slice/user@500.service/imp-shell-0-fYcPWMN9oD9.service',
    { flux: 'fYcPWMN9oD9', unit: 'imp-shell-0-fYcPWMN9oD9.service', slice: 'user-500.slice', owner: '500' },
  ],
];

test('parseCgroupPath finds the jobs of Slurm, OAR, PBS and Flux', () => checkPaths(jobs));
