import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import type { Probe, Remedy } from '../component/probe.js';
import { describeError, describeErrors, UnavailableError } from '../errors.js';
import { isAbsent } from '../linux/kept-file.js';
import type { Table } from '../model/table.js';
import { startScraping, type ScrapeLoop, type Scraper } from './scrape-loop.js';
import type { ScrapePhase } from './scrape-order.js';
import { Source, type DescribeSource, type SourceContext } from './source.js';

/** The setting for how often a receiver reads. */
export const intervalSetting = {
  doc: 'Time between two readings, which are taken at multiples of it on the wall clock.',
  format: 'duration',
  default: '1s',
  min: 1,
} as const;

/** A scraper with open files or a thread. */
export interface OpenScraper extends Scraper {
  close(): void | Promise<void>;
}

/** The parts of a scraping receiver. */
export interface ScrapingReceiverOptions {
  readonly intervalMs: number;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  /** When to read on a tick that other receivers share, independently of their order in the configuration. */
  readonly phase?: ScrapePhase;
  /**
   * Called at the start.
   * @throws UnavailableError when the source does not exist or is not readable
   */
  open(): OpenScraper | Promise<OpenScraper>;
}

/** A receiver that scrapes at each multiple of an interval. */
export function createScrapingReceiver({
  intervalMs,
  context,
  next,
  phase,
  open,
}: ScrapingReceiverOptions): Component {
  let scraper: OpenScraper | undefined;
  let loop: ScrapeLoop | undefined;
  return {
    async start() {
      scraper = await open();
      loop = startScraping({ scraper, intervalMs, context, next, ...(phase !== undefined && { phase }) });
    },
    async flush() {
      await loop?.flush();
    },
    async shutdown() {
      await loop?.stop();
      const closing = scraper;
      scraper = undefined;
      await closing?.close();
    },
  };
}

/** A source with its name and remedy. */
export interface NamedSource {
  /** For messages. */
  readonly name: string;
  /** What makes it readable, or what disables it, if it cannot be read. Unset: a machine either has it or not. */
  readonly remedy?: string;
  readonly describe: DescribeSource;
}

/** The parts of a receiver of sources. */
export interface SourceReceiverOptions {
  readonly intervalMs: number;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  readonly sources: readonly NamedSource[];
  /** As in `ScrapingReceiverOptions`. */
  readonly phase?: ScrapePhase;
  /** Called before each reading, which waits for it. */
  readonly prepare?: () => Promise<void> | undefined;
}

/**
 * A receiver that reads files of procfs or sysfs at each multiple of an interval. Sources that this kernel does
 * not have are left out; unreadable ones are retried at each scrape, and do not affect the others.
 */
export function createSourceReceiver({ sources, prepare, ...options }: SourceReceiverOptions): Component {
  const { context } = options;
  const open = (): OpenScraper => {
    const scraper = openSources(sources, context);
    return prepare ? prepareEach(scraper, prepare) : scraper;
  };
  return createScrapingReceiver({ ...options, open });
}

function prepareEach(scraper: OpenScraper, prepare: () => Promise<void> | undefined): OpenScraper {
  return {
    async scrape(breaks) {
      await prepare();
      return scraper.scrape(breaks);
    },
    close: () => scraper.close(),
  };
}

/** Which of the sources can be read here. */
export function probeSources(sources: readonly NamedSource[], context: SourceContext): Probe {
  const here: string[] = [];
  const absent: string[] = [];
  const problems: string[] = [];
  const remedies: Remedy[] = [];
  for (const { name, remedy, describe } of sources) {
    const source = new Source({ ...context, log: quietLog }, describe);
    const { error, failed } = source.probe();
    source.close();
    if (error === undefined) here.push(name);
    const problem = error === undefined ? failed.join('; ') : describeError(error);
    if (problem === '') continue;
    if (remedy === undefined && isMissing(error)) absent.push(name);
    else if (remedy === undefined) problems.push(`${name}: ${problem}`);
    else remedies.push({ missing: `${name}: ${problem}`, command: remedy });
  }
  const names = sources.map(({ name }) => name).join(', ');
  const isAllAbsent = absent.length === sources.length;
  const found = [
    ...(here.length > 0 ? [`procfs and sysfs: ${here.join(', ')}`] : []),
    ...(here.length > 0 || isAllAbsent ? [] : [`none of ${names}`]),
    ...problems,
    ...(absent.length > 0 ? [`not present on this machine: ${absent.join(', ')}`] : []),
  ];
  return { available: here.length > 0, found: found.join('; '), remedies };
}

/** Whether the machine does not have the source, rather than refusing access. */
function isMissing(error: unknown): boolean {
  return isAbsent(error) || error instanceof UnavailableError;
}

/** The log of a probe: nothing is logged. */
const quiet = () => {};
const quietLog: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/**
 * Opens the sources that exist.
 * @throws UnavailableError if there are none
 */
export function openSources(named: readonly NamedSource[], context: SourceContext): SourceScraper {
  const sources = named.flatMap((one) => openSource(one, context) ?? []);
  if (sources.length > 0) return new SourceScraper(sources, () => context.clock.wallNs());
  const names = named.map(({ name }) => name).join(', ');
  throw new UnavailableError(
    `Cannot read ${names || 'anything'}: expected one of them on this machine, found none`,
  );
}

function openSource({ name, describe }: NamedSource, context: SourceContext): Source | undefined {
  const source = new Source(context, describe);
  const { error, absent } = source.probe();
  for (const reason of absent) context.log.info(`Leaving out a part of ${name}: ${reason}`);
  if (!isMissing(error)) return source;
  source.close();
  context.log.info(`Leaving out ${name}: ${describeError(error)}`);
  return undefined;
}

/** Reads sources one after the other. An unreadable one does not affect the others. */
export class SourceScraper implements OpenScraper {
  readonly #sources: readonly Source[];
  readonly #wallNs: () => bigint;
  #breaks: number | undefined;

  constructor(sources: readonly Source[], wallNs: () => bigint) {
    this.#sources = sources;
    this.#wallNs = wallNs;
  }

  *scrape(breaks: number): Iterable<Table | undefined> {
    if (this.#breaks !== undefined && breaks !== this.#breaks) yield* this.#restart();
    this.#breaks = breaks;
    const problems: unknown[] = [];
    for (const source of this.#sources) {
      const { tables, error, failed } = yield* source.read();
      yield* tables.filter(({ series, ended }) => series.length > 0 || ended !== undefined);
      if (error !== undefined) problems.push(error);
      if (failed.length > 0) problems.push(failed.join('; '));
    }
    if (problems.length > 0) throw new Error(describeErrors(problems));
  }

  close(): void {
    for (const source of this.#sources) source.close();
  }

  #restart(): readonly Table[] {
    const at = this.#wallNs();
    return this.#sources.flatMap((source) => source.restart(at)).filter(({ ended }) => ended?.length);
  }
}
