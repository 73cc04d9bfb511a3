import type { Config, JobConfig } from './config.js';
import { checkRelabelling } from './relabel.js';

/** Validates settings that depend on each other. */
export function checkConfig({ config }: Config): readonly string[] {
  const { scrape_configs: jobs, global } = config;
  if (jobs.length === 0) return ['config.scrape_configs: expected a job, found none'];
  const names = jobs.map(({ job_name: name }) => name);
  return jobs.flatMap((job, i) => {
    const path = `config.scrape_configs[${i}]`;
    const problems = checkJob(job, path);
    if (job.job_name === null || job.job_name === '')
      problems.push(`${path}.job_name: expected a name, found none`);
    else if (names.indexOf(job.job_name) < i)
      problems.push(`${path}.job_name: expected a name of its own, found "${job.job_name}" twice`);
    const intervalMs = job.scrape_interval ?? global.scrape_interval;
    if (job.scrape_timeout !== null && job.scrape_timeout > intervalMs)
      problems.push(
        `${path}.scrape_timeout: expected at most scrape_interval, ${intervalMs} ms, found ${job.scrape_timeout} ms`,
      );
    return problems;
  });
}

function checkJob(job: JobConfig, path: string): string[] {
  return [
    ...checkRelabelling(job.relabel_configs, `${path}.relabel_configs`),
    ...checkRelabelling(job.metric_relabel_configs, `${path}.metric_relabel_configs`),
    ...checkTargets(job, path),
    ...checkCredentials(job, path),
  ];
}

function checkTargets(
  { static_configs: groups, file_sd_configs: files }: JobConfig,
  path: string,
): readonly string[] {
  const problems = groups.flatMap(({ targets }, i) =>
    targets
      .filter((target) => target.includes('/'))
      .map(
        (target) =>
          `${path}.static_configs[${i}].targets: expected host:port, found "${target}"; write scheme and metrics_path apart`,
      ),
  );
  for (const [i, { files: patterns }] of files.entries()) {
    for (const pattern of patterns.filter((text) => !/^[^*]*(?:\/|^)[^/]*\.(?:json|ya?ml)$/u.test(text)))
      problems.push(
        `${path}.file_sd_configs[${i}].files: expected a path that ends in .json, .yml or .yaml and has "*" in its last part at most, found "${pattern}"`,
      );
  }
  return problems;
}

function checkCredentials(
  { basic_auth: basic, authorization, tls_config: tls }: JobConfig,
  path: string,
): readonly string[] {
  const problems: string[] = [];
  const secrets = [basic.password, basic.password_file].filter((secret) => secret !== null);
  if ((basic.username === null) !== (secrets.length === 0) || secrets.length > 1)
    problems.push(`${path}.basic_auth: expected username with either password or password_file`);
  if (basic.username?.includes(':'))
    problems.push(`${path}.basic_auth.username: expected a name without ":", found one`);
  const credentials = [authorization.credentials, authorization.credentials_file].filter(
    (secret) => secret !== null,
  );
  if (credentials.length > 1)
    problems.push(`${path}.authorization: expected credentials or credentials_file, found both`);
  if (credentials.length > 0 && basic.username !== null)
    problems.push(`${path}: expected basic_auth or authorization, found both`);
  if ((tls.cert_file === null) !== (tls.key_file === null))
    problems.push(`${path}.tls_config: expected cert_file and key_file together, found only one of them`);
  return problems;
}
