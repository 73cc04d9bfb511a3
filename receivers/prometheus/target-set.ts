import type { ReceiverContext } from '../../src/component/component.js';
import type { PollingTargets } from '../../src/scraping/polling-receiver.js';
import type { Config, JobConfig } from './config.js';
import { ScrapeTarget } from './scrape-target.js';
import { listTargets, type Target } from './target.js';
import { TargetFiles, type TargetGroup } from './target-files.js';

/** Maximum interval at which files are checked. */
const maxRefreshMs = 5000;

interface Job {
  readonly config: JobConfig;
  readonly files: readonly TargetFiles[];
}

/** The targets of all jobs, from the configuration and from target files. */
export class TargetSet {
  readonly #config: Config['config'];
  readonly #context: ReceiverContext;
  readonly #jobs: readonly Job[];
  /** The displayed names of scraped targets, by key. */
  readonly #names = new Map<string, string>();
  readonly #leftOut = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ config }: Config, context: ReceiverContext) {
    this.#config = config;
    this.#context = context;
    this.#jobs = config.scrape_configs.map((job) => ({
      config: job,
      files: job.file_sd_configs.map(({ files }) => new TargetFiles(files, context.log)),
    }));
  }

  open(polled: PollingTargets): void {
    this.#update(polled);
    const intervals = this.#config.scrape_configs.flatMap((job) =>
      job.file_sd_configs.map(({ refresh_interval: ms }) => ms),
    );
    if (intervals.length === 0) return;
    this.#timer = setInterval(() => this.#update(polled), Math.min(maxRefreshMs, ...intervals));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #update(polled: PollingTargets): void {
    const targets = new Map(
      this.#jobs.flatMap((job) => this.#list(job)).map((target) => [target.key, target]),
    );
    for (const [key, name] of this.#names) {
      if (targets.has(key)) continue;
      this.#names.delete(key);
      void polled.remove(name);
    }
    for (const [key, target] of targets) if (!this.#names.has(key)) this.#add(polled, target);
  }

  #list({ config, files }: Job): readonly Target[] {
    const groups: readonly TargetGroup[] = [
      ...config.static_configs,
      ...files.flatMap((each) => each.read()),
    ];
    return listTargets(config, groups, this.#config.global, (address, reason) =>
      this.#leaveOut(address, reason),
    );
  }

  #add(polled: PollingTargets, target: Target): void {
    const { external_labels: externalLabels } = this.#config.global;
    const scraped = new ScrapeTarget(target, externalLabels, this.#context);
    this.#names.set(target.key, scraped.name);
    polled.add(scraped);
  }

  #leaveOut(address: string, reason: string): void {
    if (this.#leftOut.has(address)) return;
    this.#leftOut.add(address);
    this.#context.log.warn(`Cannot scrape "${address}": ${reason}`);
  }
}
