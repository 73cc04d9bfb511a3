import { ClaimedSeries } from '../../src/component/claimed-series.js';
import type { Component, ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { UnavailableError } from '../../src/component/errors.js';
import type { Series } from '../../src/model/series.js';
import type { RunningSampler } from '../../src/sampling/sampling.js';
import type { Config } from './config.js';
import { CopyWatch } from './copy-watch.js';
import { claimKey, nameDomain } from './domain.js';
import { DomainTelemetry, type DomainState } from './domain-telemetry.js';
import { findZones, nameFolder } from './find-powercap.js';
import type { Zone } from './find-powercap.js';
import { watchGaps } from './gap-watch.js';
import { createSeries, describeDomains } from './metrics.js';
import type { Columns } from './metrics.js';
import { choosePolling } from './polling.js';
import { RowThinner } from './row-thinner.js';
import { mergeAliases } from './zone-aliases.js';

const copyCheckMs = 10_000;

/** Starts the sampler, makes series of its columns, and leaves out what is not asked for or another's. */
export class RaplReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #polling;
  readonly #thinner: RowThinner | undefined;
  readonly #claimed: ClaimedSeries;
  readonly #telemetry: DomainTelemetry;
  readonly #told = new Set<string>();
  /** By the name of a domain, the receiver that publishes it instead. */
  #owners: ReadonlyMap<string, string> = new Map();
  #resets = 0;
  #columns: Columns | undefined;
  #running: RunningSampler | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#polling = choosePolling(config);
    const { periodNs, isFiner } = this.#polling;
    this.#thinner = isFiner ? new RowThinner(next, config.sampling_interval * 1e6, periodNs) : undefined;
    this.#claimed = new ClaimedSeries(context.claims, watchGaps(context, this.#thinner ?? next));
    this.#telemetry = new DomainTelemetry(context.meter, context.id);
  }

  async start(): Promise<void> {
    const { id, log, sampling } = this.#context;
    this.#running = await sampling.start({
      id,
      module: new URL('./sampler.js', import.meta.url),
      options: this.#config,
      periodNs: this.#polling.periodNs,
      flushMs: this.#config.flush_interval,
      // What this receiver's own sampler said.
      describe: (columns, start) => this.#describe(columns as Columns, start),
      next: this.#claimed,
      log,
    });
    if (this.#columns && this.#owners.size === this.#columns.domains.length) {
      await this.shutdown();
      throw new UnavailableError(this.#explainOwners());
    }
    this.#watchCopies();
  }

  async flush(): Promise<void> {
    await this.#running?.flush();
    this.#thinner?.release();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running?.stop();
    this.#running = undefined;
    this.#thinner?.release();
    this.#telemetry.close();
  }

  #describe(columns: Columns, start: bigint): readonly Series[] {
    const series = createSeries(columns, this.#context.host, start);
    this.#columns = columns;
    const owners = new Map<string, string>();
    for (const [column, domain] of columns.domains.entries()) {
      const owner = this.#claimed.claim(claimKey(domain), series[column]);
      if (owner !== undefined) owners.set(nameDomain(domain), owner);
    }
    this.#owners = owners;
    this.#tell(columns);
    this.#telemetry.update(columns.interface, this.#listStates(columns), columns.resets);
    return series;
  }

  /** Once each, however often the sampler's columns change. */
  #tell(columns: Columns): void {
    const { log } = this.#context;
    const own = columns.domains.filter((domain) => !this.#owners.has(nameDomain(domain)));
    if (own.length > 0)
      this.#tellOnce('info', `Reads ${describeDomains({ interface: columns.interface, domains: own })}`);
    if (columns.resets > this.#resets)
      log.warn(
        `The energy counter of ${describeAnew(columns)} began anew: what was used in between is unknown`,
      );
    this.#resets = columns.resets;
    for (const note of columns.notes) this.#tellOnce('warn', note);
    if (this.#owners.size > 0 && own.length > 0) {
      const foreign = [...this.#owners].map(([domain, owner]) => `${domain} by "${owner}"`);
      this.#tellOnce('warn', `Leaves out what another receiver publishes: ${foreign.join(', ')}`);
    }
    for (const { domain } of columns.dead) log.debug(`${nameDomain(domain)} counts nothing and is left out`);
  }

  #tellOnce(level: 'info' | 'warn', message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#context.log[level](message);
  }

  #explainOwners(): string {
    const owners = [...new Set(this.#owners.values())].map((owner) => `"${owner}"`).join(' and ');
    const remedy = `give "${this.#context.id}" domains of its own, or name ${owners} in its pipelines instead`;
    return `each domain is published once, and all of them are by ${owners}: ${remedy}`;
  }

  #listStates({ domains, sources, dead, interface: name }: Columns): readonly DomainState[] {
    const copies = name === 'powercap' ? this.#findZones() : [];
    return [
      ...domains.map((one, column): DomainState => {
        const domain = nameDomain(one);
        return { domain, source: sources[column], state: this.#owners.has(domain) ? 'foreign' : 'read' };
      }),
      ...dead.map(({ domain, source }): DomainState => ({
        domain: nameDomain(domain),
        source,
        state: 'dead',
      })),
      ...copies.flatMap(listCopies),
    ];
  }

  #findZones() {
    return mergeAliases(findZones(this.#config.sysfs));
  }

  #watchCopies(): void {
    if (this.#columns?.interface !== 'powercap') return;
    const watch = new CopyWatch(this.#findZones(), this.#context.log);
    if (!watch.hasCopies) return;
    this.#timer = setInterval(() => watch.check(), copyCheckMs);
    this.#timer.unref();
  }
}

function describeAnew({ anew }: Columns): string {
  return anew.map(nameDomain).join(' and ');
}

function listCopies({ domain, copies }: Zone): readonly DomainState[] {
  return copies.map((path) => ({ domain: nameDomain(domain), source: nameFolder(path), state: 'copy' }));
}
