import type { ReceiverContext } from '../../src/component/component.js';
import { hideCredentials } from '../../src/config/endpoint.js';
import { runInSlices, slices } from '../../src/linux/slices.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { GaugeTable } from '../../src/scraping/gauge-table.js';
import type { PollingTarget } from '../../src/scraping/polling-target.js';
import { PageClient } from './page-client.js';
import { PageParser } from './page-parser.js';
import { PageSeries, type AnyTable } from './page-series.js';
import { createRelabelling } from './relabel.js';
import { createResource } from './resource.js';
import type { Labels } from './series-text.js';
import type { Target } from './target.js';

/** Chunks of a new page take longer than those of a known page. They are read in parts of this size. */
const partBytes = 4 * 1024;

function gauge(name: string, unit: string, description: string): Metric {
  return { name, unit, description, kind: 'gauge', valueType: 'double' };
}

/** The metrics of each scrape, with Prometheus' names. */
const scrapeMetrics = [
  gauge('up', '', 'The scraping was successful'),
  gauge('scrape_duration_seconds', 's', 'Duration of the scrape'),
  gauge('scrape_samples_scraped', '', 'The number of samples the target exposed'),
  gauge(
    'scrape_samples_post_metric_relabeling',
    '',
    'The number of samples remaining after metric relabeling was applied',
  ),
  gauge('scrape_series_added', '', 'The approximate number of new series in this scrape'),
];

/** Converts the pages of one target to tables. */
export class ScrapeTarget implements PollingTarget {
  readonly name: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly #context: ReceiverContext;
  readonly #target: Target;
  readonly #client: PageClient;
  readonly #series: PageSeries;
  readonly #parser: PageParser;
  readonly #scrapes: GaugeTable;
  #startedNs = 0n;
  #isFailing = false;
  #hasDuplicates = false;
  #hasProblem = false;

  constructor(target: Target, externalLabels: Readonly<Record<string, string>>, context: ReceiverContext) {
    const { job, url, labels, intervalMs, timeoutMs } = target;
    this.name = nameTarget(target);
    this.intervalMs = intervalMs;
    this.timeoutMs = timeoutMs;
    this.#context = context;
    this.#target = target;
    this.#client = new PageClient(url, job, timeoutMs, context.log);
    this.#series = new PageSeries({
      target: labels,
      scheme: url.protocol.slice(0, -1),
      honorsLabels: job.honor_labels,
      change: createLabelChange(target, externalLabels),
      usesProcessStart: job.use_start_time_metric,
      splitsHistograms: job.split_histograms,
    });
    this.#parser = new PageParser(this.#series);
    this.#scrapes = createScrapeTable(target, externalLabels);
  }

  async read(signal: AbortSignal): Promise<Iterable<AnyTable>> {
    const { clock } = this.#context;
    this.#startedNs = clock.monotonicNs();
    const at = clock.wallNs();
    const { format, chunks, endsWithConnection } = await this.#client.open(signal);
    await runInSlices(this.#parser.begin(format));
    await this.#parse(chunks);
    await runInSlices(this.#parser.finish({ mayBeCut: endsWithConnection }));
    this.#checkNumber();
    const { values, stamps, hasStamps } = this.#parser;
    const hasOwnInstants = hasStamps && this.#target.job.honor_timestamps;
    const stampUnitMs = format === 'openmetrics' ? 1000 : 1;
    const page = { at, values, stamps: hasOwnInstants ? stamps : undefined, stampUnitMs };
    const prepared = await runInSlices(this.#series.prepare(page));
    // A late page is discarded: ended series are reported with the next page.
    signal.throwIfAborted();
    const tables = [...this.#series.createTables(prepared), ...this.#series.createHistograms(prepared)];
    this.#noteDuplicates();
    this.#noteProblem();
    this.#isFailing = false;
    const scrape = this.#describeScrape(at, { up: 1, added: prepared.added });
    if (this.#series.isOutdated) await this.#readAgain();
    return [...tables, scrape];
  }

  publishFailure(_error: unknown, at: bigint): readonly AnyTable[] {
    const gap = this.#isFailing ? [] : this.#series.createGap(at);
    this.#isFailing = true;
    return [...gap, this.#describeScrape(at, { up: 0, added: 0 })];
  }

  restart(at: bigint): readonly AnyTable[] {
    return [...this.#series.restart(at), this.#scrapes.restart(at)];
  }

  close(): void {
    this.#client.close();
  }

  async #parse(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.length; from += partBytes) {
        this.#parser.feed(chunk.subarray(from, from + partBytes));
        if (slices.isOver) await slices.letOthersRun();
      }
    }
  }

  /** Reads the next page like the first one, since the types of its metrics have changed. */
  async #readAgain(): Promise<void> {
    await runInSlices(this.#parser.forget());
    this.#series.forgetFamilies();
  }

  #checkNumber(): void {
    const { sample_limit: limit } = this.#target.job;
    const found = this.#series.described;
    if (limit > 0 && found > limit)
      throw new Error(`expected at most ${limit} samples, found ${found}; raise sample_limit`);
  }

  #describeScrape(at: bigint, { up, added }: { readonly up: number; readonly added: number }): Table {
    const seconds = Number(this.#context.clock.monotonicNs() - this.#startedNs) / 1e9;
    const samples = up === 0 ? 0 : this.#parser.samples;
    const published = up === 0 ? 0 : this.#series.published;
    return this.#scrapes.row(at, [up, seconds, samples, published, added]);
  }

  #noteProblem(): void {
    const { problem } = this.#series;
    if (problem !== undefined && !this.#hasProblem)
      this.#context.log.warn(`Leaving out histograms of ${this.name}, such as ${problem}`);
    this.#hasProblem = problem !== undefined;
  }

  #noteDuplicates(): void {
    const duplicates = this.#parser.duplicates + this.#series.ambiguous;
    if (duplicates > 0 && !this.#hasDuplicates) {
      this.#context.log.warn(
        `Leaving out ${duplicates} samples of ${this.name}: expected each series once, found several with the same labels`,
      );
    }
    this.#hasDuplicates = duplicates > 0;
  }
}

/** For messages, unique per target: includes all labels if the address is not unique. */
function nameTarget({ url, labels, job }: Target): string {
  const { job: name, instance, ...others } = Object.fromEntries(labels);
  const shown = instance === url.host ? others : { instance, ...others };
  const details = Object.entries(shown).map(([label, value]) => `, ${label}="${value}"`);
  return `${hideCredentials(url.href)} (job="${name ?? job.job_name}"${details.join('')})`;
}

function createScrapeTable(
  { labels, url }: Target,
  externalLabels: Readonly<Record<string, string>>,
): GaugeTable {
  const { job = '', instance = '', ...others } = Object.fromEntries(labels);
  const attributes = { ...externalLabels, ...others };
  const resource = createResource({ job, instance, scheme: url.protocol.slice(0, -1) }, []);
  return new GaugeTable(
    resource,
    scrapeMetrics.map((metric) => ({ metric, attributes })),
  );
}

function createLabelChange(
  { job }: Target,
  externalLabels: Readonly<Record<string, string>>,
): (labels: Labels) => Labels | undefined {
  const relabel = createRelabelling(job.metric_relabel_configs);
  return (scraped) => {
    const labels = relabel(scraped);
    if (labels === undefined) return undefined;
    checkLimits(labels, job);
    for (const [label, value] of Object.entries(externalLabels))
      if (!labels.has(label)) labels.set(label, value);
    return labels;
  };
}

function checkLimits(labels: Labels, job: Target['job']): void {
  const {
    label_limit: limit,
    label_name_length_limit: nameLimit,
    label_value_length_limit: valueLimit,
  } = job;
  if (limit > 0 && labels.size > limit)
    throw new Error(`expected at most ${limit} labels, found ${labels.size}; raise label_limit`);
  for (const [label, value] of labels) {
    if (nameLimit > 0 && label.length > nameLimit)
      throw new Error(
        `expected names of labels of at most ${nameLimit} characters, found "${label}"; raise label_name_length_limit`,
      );
    if (valueLimit > 0 && value.length > valueLimit)
      throw new Error(
        `expected values of at most ${valueLimit} characters, found ${value.length} in "${label}"; raise label_value_length_limit`,
      );
  }
}
