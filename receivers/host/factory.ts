import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeError, UnavailableError } from '../../src/component/errors.js';
import type { Probe, Remedy } from '../../src/component/probe.js';
import { isAbsent } from '../../src/linux/kept-file.js';
import { startScraping, type ScrapeLoop } from '../../src/sampling/scrape-loop.js';
import { schema, type Config } from './config.js';
import { createGroups, HostScraper, metrics, tryGroup, type NamedGroup } from './host-scraper.js';

/** Reads what the kernel says of the machine: CPU time, memory, disks, network, load, pressure, frequency. */
export const factory: ReceiverFactory<typeof schema> = { schema, metrics, probe, create };

function probe(config: Config, context: ReceiverContext): Probe {
  const here: string[] = [];
  const remedies: Remedy[] = [];
  for (const named of createGroups({ config, ...context })) {
    const error = tryGroup(named);
    named.group.close();
    if (error === undefined) here.push(named.name);
    else remedies.push({ missing: `${named.name}: ${describeError(error)}`, command: describeRemedy(named) });
  }
  const found = here.length > 0 ? `procfs and sysfs: ${here.join(', ')}` : `nothing below ${config.procfs}`;
  return { available: here.length > 0, found, remedies };
}

function describeRemedy({ name }: NamedGroup): string {
  return name === 'pressure'
    ? 'boot with the kernel parameter psi=1, or set groups.pressure: false'
    : `set groups.${name}: false`;
}

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  return new HostReceiver(config, context, next);
}

class HostReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  #groups: readonly NamedGroup[] = [];
  #loop: ScrapeLoop | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
  }

  start(): void {
    const context = this.#context;
    this.#groups = createGroups({ config: this.#config, ...context }).filter((group) => this.#isHere(group));
    if (this.#groups.length === 0) {
      throw new UnavailableError(
        `Cannot read the machine: no group is enabled and below ${this.#config.procfs}`,
      );
    }
    const scraper = new HostScraper(this.#groups, () => context.clock.wallNs());
    const intervalMs = this.#config.collection_interval;
    this.#loop = startScraping({ scraper, intervalMs, context, next: this.#next });
  }

  async flush(): Promise<void> {
    await this.#loop?.flush();
  }

  async shutdown(): Promise<void> {
    await this.#loop?.stop();
    for (const { group } of this.#groups) group.close();
  }

  /** What this kernel does not have is left out. What only cannot be read is tried again by every scrape. */
  #isHere(named: NamedGroup): boolean {
    const error = tryGroup(named);
    if (!isAbsent(error) && !(error instanceof UnavailableError)) return true;
    named.group.close();
    this.#context.log.info(`Leaves ${named.name} out: ${describeError(error)}`);
    return false;
  }
}
