import { setImmediate } from 'node:timers/promises';
import { createPlans } from '../../src/model/plan.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { nameFamily, type FamilyName } from '../../src/prometheus/names.js';
import { escapeText, renderLabels } from './labels.js';

/** The samples of a family at one instant. */
export interface Samples {
  readonly family: Family;
  readonly prefixes: readonly string[];
  readonly values: readonly number[];
  /** For counters, a whole line for each value: when it was 0. */
  readonly starts?: readonly string[];
}

/** Everything that a page shows, at one instant. */
export interface Snapshot {
  /** The attributes of the machine's own resource. */
  readonly host: Attributes;
  readonly families: readonly Samples[];
  /** Whether it says what the machine uses. */
  readonly hasEnergy: boolean;
}

/** Text that Prometheus reads: classic 0.0.4 or OpenMetrics 1.0. */
export type Format = 'classic' | 'openmetrics';

/** The lines of a family. */
export interface Block {
  readonly family: Family;
  readonly lines: string;
}

/** A page without its heads. */
export interface Body {
  readonly host: Attributes;
  readonly blocks: readonly Block[];
}

// About a millisecond of work; then others may run.
const linesPerTurn = 1000;

/**
 * Writes the samples of a snapshot, giving way to others in between.
 * @param format only OpenMetrics has the start of a counter
 */
export async function renderBody({ host, families }: Snapshot, format: Format): Promise<Body> {
  const blocks: Block[] = [];
  for (const samples of families) {
    let lines = '';
    for (let from = 0; from < samples.values.length; from += linesPerTurn) {
      if (from > 0 || blocks.length % 50 === 49) await setImmediate();
      lines += renderLines(samples, from, format);
    }
    blocks.push({ family: samples.family, lines });
  }
  return { host, blocks };
}

function renderLines({ prefixes, values, ...samples }: Samples, from: number, format: Format): string {
  const starts = format === 'openmetrics' ? samples.starts : undefined;
  const to = Math.min(from + linesPerTurn, values.length);
  let lines = '';
  for (let i = from; i < to; i++) lines += `${prefixes[i]}${formatValue(values[i])}\n${starts?.[i] ?? ''}`;
  return lines;
}

/** A value as Go's ParseFloat takes it. Whole numbers up to 2^53 and beyond have no exponent. */
export function formatValue(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

/** The whole page. */
export function renderPage({ host, blocks }: Body, format: Format): string {
  const target = renderTarget(host, format);
  const families = blocks.map(({ family, lines }) => renderHead(family, format) + lines);
  return [target, ...families, format === 'openmetrics' ? '# EOF\n' : ''].join('');
}

function renderTarget(host: Attributes, format: Format): string {
  const labels = renderLabels(host);
  if (labels === '') return '';
  const [name, type] = format === 'openmetrics' ? ['target', 'info'] : ['target_info', 'gauge'];
  return `# HELP ${name} Target metadata\n# TYPE ${name} ${type}\ntarget_info${labels} 1\n`;
}

function renderHead({ metric, family, sample, unit }: Family, format: Format): string {
  const isOpenMetrics = format === 'openmetrics';
  const name = isOpenMetrics ? family : sample;
  const type = metric.kind === 'counter' ? 'counter' : 'gauge';
  const help = metric.description === '' ? '' : `# HELP ${name} ${renderHelp(metric.description, format)}\n`;
  const unitLine = isOpenMetrics && unit !== '' ? `# UNIT ${name} ${unit}\n` : '';
  return `${help}# TYPE ${name} ${type}\n${unitLine}`;
}

/** In the classic format a double quote stays as it is. */
function renderHelp(text: string, format: Format): string {
  const escaped = escapeText(text);
  return format === 'openmetrics' ? escaped : escaped.replaceAll('\\"', '"');
}

/** One line of the page. */
export interface Entry {
  /** Whose values it shows: the newest one where several series are the same. */
  series: Series;
  readonly family: Family;
  /** The line up to the value. */
  readonly prefix: string;
  /** The last reading. NaN: none, and then no line. */
  value: number;
  /** CLOCK_MONOTONIC in milliseconds at which the series ended; undefined while it lives. */
  endedMs: number | undefined;
}

/** The series of one name. */
export interface Family extends FamilyName {
  readonly metric: Metric;
  readonly entries: Set<Entry>;
}

/** The families by their names, which no two may share. */
export class Families {
  readonly #bySample = new Map<string, Family>();
  readonly #names = new Set<string>();
  readonly #warned = new Set<string>();
  readonly #warn: (message: string) => void;

  /** @param reserved names that no metric may have */
  constructor(reserved: readonly string[], warn: (message: string) => void) {
    for (const name of reserved) this.#names.add(name);
    this.#warn = warn;
  }

  /** The family of a metric; null, with one warning, where its name is taken by a different metric. */
  readonly find = createPlans((metric: Metric) => this.#claim(metric) ?? null);

  #claim(metric: Metric): Family | undefined {
    const name = nameFamily(metric);
    const known = this.#bySample.get(name.sample);
    if (known && isSame(known.metric, metric)) return known;
    if (known || this.#names.has(name.sample) || this.#names.has(name.family)) {
      this.#refuse(metric, name.sample, known?.metric);
      return undefined;
    }
    const family = { ...name, metric, entries: new Set<Entry>() };
    this.#bySample.set(name.sample, family);
    this.#names.add(name.sample).add(name.family);
    return family;
  }

  /** In the order of their names. */
  list(): readonly Family[] {
    return [...this.#bySample.values()].toSorted((a, b) => (a.sample < b.sample ? -1 : 1));
  }

  #refuse(metric: Metric, sample: string, holder: Metric | undefined): void {
    const refused = describe(metric);
    if (this.#warned.has(refused)) return;
    this.#warned.add(refused);
    const taken = holder ? describe(holder) : 'another metric';
    this.#warn(`Cannot expose ${refused} as "${sample}": ${taken} has this name`);
  }
}

function isSame(a: Metric, b: Metric): boolean {
  return a === b || (a.name === b.name && a.unit === b.unit && a.kind === b.kind);
}

function describe({ name, kind, unit }: Metric): string {
  return `the ${kind} "${name}" in "${unit}"`;
}
