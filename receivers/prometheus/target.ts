import { parseDuration } from '../../src/config/formats.js';
import { attributesKey } from '../../src/model/series.js';
import type { Config, JobConfig } from './config.js';
import { createRelabelling } from './relabel.js';
import type { Labels } from './series-text.js';
import type { TargetGroup } from './target-files.js';

/** A target to scrape. */
export interface Target {
  readonly job: JobConfig;
  readonly url: URL;
  /** Labels of its samples: `job`, `instance` and configured ones. */
  readonly labels: ReadonlyMap<string, string>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Unique per target. */
  readonly key: string;
}

/**
 * The targets of a job after relabelling, without duplicates.
 * @param leaveOut called for targets that cannot be scraped, with the reason
 */
export function listTargets(
  job: JobConfig,
  groups: readonly TargetGroup[],
  global: Config['config']['global'],
  leaveOut: (address: string, reason: string) => void,
): readonly Target[] {
  const relabel = createRelabelling(job.relabel_configs);
  const targets = new Map<string, Target>();
  for (const { targets: addresses, labels: own } of groups) {
    for (const address of addresses) {
      const labels = relabel(
        new Map([
          ...Object.entries(describeJob(job, global)),
          ['__address__', address],
          ...Object.entries(own),
        ]),
      );
      if (labels === undefined) continue;
      try {
        const target = createTarget(job, labels);
        targets.set(target.key, target);
      } catch (error) {
        leaveOut(address, error instanceof Error ? error.message : String(error));
      }
    }
  }
  return [...targets.values()];
}

function describeJob(job: JobConfig, global: Config['config']['global']): Record<string, string> {
  const intervalMs = job.scrape_interval ?? global.scrape_interval;
  const timeoutMs = job.scrape_timeout ?? Math.min(global.scrape_timeout, intervalMs);
  const params = Object.entries(job.params).map(([name, [first = '']]) => [`__param_${name}`, first]);
  return {
    job: job.job_name ?? '',
    __scheme__: job.scheme,
    __metrics_path__: job.metrics_path,
    __scrape_interval__: `${intervalMs}ms`,
    __scrape_timeout__: `${timeoutMs}ms`,
    ...Object.fromEntries(params),
  };
}

function createTarget(job: JobConfig, labels: Labels): Target {
  const address = labels.get('__address__') ?? '';
  const scheme = labels.get('__scheme__') ?? '';
  const text = `${scheme}://${address}${labels.get('__metrics_path__') ?? ''}`;
  if (address === '' || !/^https?$/u.test(scheme) || !URL.canParse(text))
    throw new Error(`expected an address that can be scraped, found "${text}"`);
  const url = new URL(text);
  url.search = createQuery(job, labels);
  const intervalMs = readDuration(labels, '__scrape_interval__');
  const timeoutMs = Math.min(readDuration(labels, '__scrape_timeout__'), intervalMs);
  const shown = [...labels].filter(([label, value]) => !label.startsWith('__') && value !== '');
  const own = new Map([...shown, ['instance', labels.get('instance') || address] as const]);
  const key = `${url.href} ${attributesKey(Object.fromEntries(own))}`;
  return { job, url, labels: own, intervalMs, timeoutMs, key };
}

/** The first value of a parameter can be relabelled; others are used as configured. */
function createQuery(job: JobConfig, labels: Labels): string {
  const query = new URLSearchParams();
  for (const [label, value] of labels) {
    const [, name] = /^__param_(.+)$/su.exec(label) ?? [];
    if (name === undefined) continue;
    query.append(name, value);
    for (const other of job.params[name]?.slice(1) ?? []) query.append(name, other);
  }
  return query.toString();
}

function readDuration(labels: Labels, label: string): number {
  const text = labels.get(label) ?? '';
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1) throw new Error(`expected ${label} to be a duration, found "${text}"`);
  return ms;
}
