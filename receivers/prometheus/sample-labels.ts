import { LargeMap } from '../../src/prometheus/large-map.js';
import type { HistogramPart } from './page-histograms.js';
import { nameLabel, type Labels } from './series-text.js';

/** How the labels of a target's samples are converted. */
export interface LabelRules {
  /** Labels of the target: `job`, `instance` and configured ones. */
  readonly target: ReadonlyMap<string, string>;
  /** Whether a label of a sample overrides the target's label with that name. */
  readonly honorsLabels: boolean;
  /** Relabels a sample; undefined: it is dropped. @throws Error if a limit is exceeded */
  change(labels: Labels): Labels | undefined;
}

/** The labels of a sample, with those of the target and after relabelling. @returns undefined if it is dropped */
export function changeLabels(scraped: Labels, rules: LabelRules): Labels | undefined {
  return rules.change(mergeLabels(scraped, rules));
}

/** As in Prometheus: a label that the target also has is renamed to `exported_` and its name. */
function mergeLabels(scraped: Labels, { target, honorsLabels }: LabelRules): Labels {
  const labels: Labels = new Map(target);
  for (const [label, value] of scraped) {
    labels.set(!honorsLabels && target.has(label) ? findFreeName(label, scraped, target) : label, value);
  }
  return labels;
}

function findFreeName(label: string, ...taken: readonly ReadonlyMap<string, string>[]): string {
  const name = `exported_${label}`;
  return taken.some((labels) => labels.has(name)) ? findFreeName(name, ...taken) : name;
}

/** Converts the labels of a sample: to the name of a metric, the identity of its resource, and attributes. */
export function describeLabels(labels: Labels) {
  const attributes: Record<string, string> = {};
  const parts: string[] = [];
  for (const [label, value] of labels) {
    if (value === '' || (label.startsWith('__') && label !== nameLabel)) continue;
    // A label name cannot contain a line end.
    parts.push(`${label}\n${value}`);
    if (label !== 'job' && label !== 'instance' && label !== nameLabel) attributes[label] = value;
  }
  const read = (label: string) => labels.get(label) ?? '';
  const key = JSON.stringify(parts.toSorted());
  return { name: read(nameLabel), job: read('job'), instance: read('instance'), attributes, key };
}

/** The text before the value of a sample, without the labels that differ between samples of one histogram. */
export function createStartKey(family: string, labels: Labels): string {
  const others = [...labels].filter(([label]) => ![nameLabel, 'le', 'quantile'].includes(label));
  return JSON.stringify([family, ...others.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** What the samples of a histogram have in common, and which part this sample is; undefined: none. */
export function describePart(labels: Labels) {
  const name = labels.get(nameLabel) ?? '';
  const part = findPart(name, labels.get('le'));
  if (part === undefined) return undefined;
  const common: Labels = new Map(labels).set(nameLabel, name.replace(/_[a-z]+$/u, ''));
  if (typeof part === 'number') common.delete('le');
  return { ...describeLabels(common), part, sampleKey: describeLabels(labels).key };
}

/** Which part of a histogram a sample is; undefined: none. */
function findPart(name: string, bound: string | undefined): HistogramPart | undefined {
  if (name.endsWith('_sum')) return 'sum';
  if (name.endsWith('_count')) return 'count';
  if (!name.endsWith('_bucket') || bound === undefined || bound === '') return undefined;
  const number = bound === '+Inf' ? Infinity : Number(bound);
  return Number.isNaN(number) || number === -Infinity ? undefined : number;
}

/** The value of every key. */
const here = {};

/** The keys of a target's published samples. */
export class SampleKeys {
  readonly #keys = new LargeMap<string, object>();
  /** Keys of samples of histograms, by slot; those of columns are in the columns. */
  readonly #partKeys: (string | undefined)[] = [];

  get size(): number {
    return this.#keys.size;
  }

  /** @returns false if another sample has the key */
  add(key: string): boolean {
    if (this.#keys.get(key) !== undefined) return false;
    this.#keys.add(key, here);
    return true;
  }

  remove(key: string): void {
    this.#keys.delete(key);
  }

  /** Adds a sample of a histogram. */
  addPart(key: string, slot: number): void {
    this.add(key);
    this.#partKeys[slot] = key;
  }

  /** Removes the sample, if it belongs to a histogram. */
  removePart(slot: number): void {
    const key = this.#partKeys[slot];
    if (key !== undefined) this.#keys.delete(key);
    this.#partKeys[slot] = undefined;
  }
}
