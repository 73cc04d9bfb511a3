import { hostname } from 'node:os';
import { ATTR_HOST_NAME } from '../../src/model/semantic-conventions.js';
import type { AnySeries, Attributes, HistogramMetric, HistogramSeries } from '../../src/model/series.js';
import { freeBucketLabel } from '../../src/prometheus/histogram-buckets.js';
import {
  createIdentity,
  findLabels,
  listLabels,
  renderLabels,
  type Identity,
} from '../../src/prometheus/labels.js';
import { LargeMap } from '../../src/prometheus/large-map.js';
import {
  describeMetric,
  isSameMetric,
  nameFamily,
  translateMetric,
  type FamilyName,
} from '../../src/prometheus/names.js';
import { Targets, type Target, type TargetLabels } from './targets.js';

/** A name and a value. */
export type Label = readonly [name: string, value: string];

/** A series with labels that no other live one has. */
export interface Entry {
  /** The newest of several equal ones. */
  series: AnySeries;
  readonly name: FamilyName;
  /** All except `__name__`. */
  readonly labels: readonly Label[];
  target: Target;
  /** Unix time in milliseconds of the newest sample, including a stale marker. */
  lastMs: number;
  /** Whether the newest sample is a stale marker. */
  isStale: boolean;
  /** CLOCK_MONOTONIC in milliseconds of its end; undefined while it is live. */
  endedMs: number | undefined;
}

export interface LabelOptions {
  readonly identityLabels: readonly string[];
  readonly externalLabels: Readonly<Record<string, string>>;
  /** The machine's attributes from receivers. */
  readonly host: Attributes;
  /** Attributes of everything, from the collector's environment. */
  readonly common: Attributes;
  warn(message: string): void;
}

/** How long the labels of an ended series keep the time of its last sample. */
const keptMs = 60_000;

/** Assigns names and labels to series, by the rules of the `prometheus` exporter's page, and finds conflicts. */
export class LabelTable {
  readonly targets: Targets;
  readonly #options: LabelOptions;
  readonly #identity: Identity;
  readonly #bySeries = new LargeMap<AnySeries, Entry>();
  readonly #byLabels = new LargeMap<string, Entry>();
  readonly #metrics = new Map<string, AnySeries['metric']>();
  readonly #ended: Entry[] = [];
  readonly #warned = new Set<string>();

  constructor(options: LabelOptions) {
    this.#options = options;
    const host = { [ATTR_HOST_NAME]: hostname(), ...options.host };
    const { identityLabels, common } = options;
    this.#identity = createIdentity(identityLabels, { ...common, ...host });
    this.targets = new Targets({ host, common, identityLabels });
  }

  /** Undefined, with one warning per metric, if its name or its labels are already used. */
  entryOf(series: AnySeries): Entry | undefined {
    const known = this.#bySeries.get(series);
    if (known !== undefined) return known;
    const name = this.#findName(series);
    const entry = name === undefined ? undefined : this.#claim(series, name);
    if (entry !== undefined) this.#bySeries.add(series, entry);
    return entry;
  }

  /** @returns its entry, unless another series has it now, or it has already ended */
  end(series: AnySeries, nowMs: number): Entry | undefined {
    const entry = this.#bySeries.get(series);
    this.#bySeries.delete(series);
    if (entry?.series !== series || entry.endedMs !== undefined) return undefined;
    entry.endedMs = nowMs;
    this.#ended.push(entry);
    this.targets.release(entry.target);
    return entry;
  }

  /** Removes expired entries. */
  sweep(nowMs: number): void {
    for (let [first] = this.#ended; first !== undefined; [first] = this.#ended) {
      if (first.endedMs !== undefined && nowMs - first.endedMs < keptMs) return;
      this.#ended.shift();
      const key = keyOf(first.name, first.labels);
      if (first.endedMs !== undefined && this.#byLabels.get(key) === first) this.#byLabels.delete(key);
    }
  }

  /** Labels including those of the target and the external ones, sorted by name. */
  complete(attributes: Attributes, { job, instance }: TargetLabels): readonly Label[] {
    const labels = new Map<string, string>();
    for (const [name, value] of listLabels(attributes))
      labels.set(name === 'job' || name === 'instance' ? `exported_${name}` : name, value);
    labels.set('job', job).set('instance', instance);
    for (const [name, value] of Object.entries(this.#options.externalLabels))
      if (!labels.has(name)) labels.set(name, value);
    return [...labels].filter(([, value]) => value !== '').toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  #claim(series: AnySeries, name: FamilyName): Entry | undefined {
    const target = this.targets.take(series.resource);
    const labelsOf = (attributes: Attributes) =>
      this.complete(isHistogram(series) ? freeBucketLabel(attributes) : attributes, target);
    const { attributes, text, isTaken } = findLabels(series, this.#identity.of(series.resource), {
      render: (own) => keyOf(name, labelsOf(own)),
      findHolder: (key) => {
        const holder = this.#byLabels.get(key);
        return holder?.endedMs === undefined ? holder?.series : undefined;
      },
    });
    const known = this.#byLabels.get(text);
    if (isTaken || (known !== undefined && known.endedMs === undefined)) this.targets.release(target);
    if (isTaken) {
      this.#warnOnce(
        series.metric.name,
        `Cannot send a series of "${series.metric.name}": expected labels of its own, found another one with ${text}`,
      );
      return undefined;
    }
    if (known !== undefined) return revive(known, series, target);
    const labels = labelsOf(attributes);
    const entry = { series, name, labels, target, lastMs: 0, isStale: true, endedMs: undefined };
    this.#byLabels.add(text, entry);
    return entry;
  }

  /** Undefined if a different metric has one of its names. */
  #findName({ metric }: AnySeries): FamilyName | undefined {
    const name = isHistogramMetric(metric)
      ? translateMetric({ ...metric, kind: 'updowncounter' })
      : nameFamily(metric);
    const holder = namesOf(metric, name)
      .map((one) => this.#metrics.get(one))
      .find((one) => one !== undefined);
    if (name.sample === 'target_info' || (holder !== undefined && !isSameMetric(holder, metric))) {
      const taken = holder === undefined ? 'another metric' : describeMetric(holder);
      const refused = describeMetric(metric);
      this.#warnOnce(refused, `Cannot send ${refused} as "${name.sample}": ${taken} has this name`);
      return undefined;
    }
    for (const one of namesOf(metric, name)) this.#metrics.set(one, metric);
    return name;
  }

  #warnOnce(subject: string, message: string): void {
    if (this.#warned.has(subject)) return;
    this.#warned.add(subject);
    this.#options.warn(message);
  }
}

/** Whether it belongs to a histogram table. */
export function isHistogram(series: AnySeries): series is HistogramSeries {
  return isHistogramMetric(series.metric);
}

function isHistogramMetric(metric: AnySeries['metric']): metric is HistogramMetric {
  return metric.kind === 'histogram' || metric.kind === 'exponential_histogram';
}

/** Reuses an entry for a series that is equal to an earlier one, or that has the labels of an ended one. */
function revive(entry: Entry, series: AnySeries, target: Target): Entry {
  entry.series = series;
  entry.target = target;
  entry.endedMs = undefined;
  return entry;
}

function namesOf(metric: AnySeries['metric'], { sample, family }: FamilyName): readonly string[] {
  return isHistogramMetric(metric)
    ? ['', '_bucket', '_sum', '_count'].map((suffix) => family + suffix)
    : [sample];
}

function keyOf({ sample }: FamilyName, labels: readonly Label[]): string {
  return sample + renderLabels(Object.fromEntries(labels));
}
