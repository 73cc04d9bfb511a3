import { findOrAdd } from '../../src/model/plan.js';
import type { HistogramMetric, Metric, MetricKind } from '../../src/model/series.js';
import { findUnit } from '../../src/prometheus/names.js';
import { unescapeText } from './series-text.js';

interface Family {
  type: string;
  unit: string;
  help: string;
}

/** The meaning of a sample: a value of a metric or, without one, the start of its family (`_created`). */
export interface SampleMeaning {
  readonly family: string;
  readonly metric: Metric | undefined;
  /** For a sample of a histogram: that histogram. */
  readonly histogram?: HistogramMetric;
}

/** The kinds of the samples of a family, by name suffix. */
const kindsByType: Readonly<Record<string, Readonly<Record<string, MetricKind | 'created'>>>> = {
  counter: { '': 'counter', _total: 'counter', _created: 'created' },
  gauge: { '': 'gauge' },
  histogram: { _bucket: 'counter', _sum: 'counter', _count: 'counter', _created: 'created' },
  gaugehistogram: { _bucket: 'gauge', _gsum: 'gauge', _gcount: 'gauge' },
  summary: { '': 'gauge', _sum: 'counter', _count: 'counter', _created: 'created' },
  info: { '': 'updowncounter', _info: 'updowncounter' },
  stateset: { '': 'updowncounter' },
};

const untyped: Family = { type: 'unknown', unit: '', help: '' };

/** The metric types, units and descriptions in the comments of a target's pages. */
export class Families {
  readonly #families = new Map<string, Family>();
  readonly #metrics = new Map<string, Metric>();
  readonly #histograms = new Map<string, HistogramMetric>();
  /** Whether the type of a metric has changed since its series were read: all must be read again. */
  isOutdated = false;

  /** Reads a comment: `# TYPE name counter`, `# HELP name text`, `# UNIT name seconds`; others are ignored. */
  addComment(comment: string): void {
    const [, keyword, quotedName, plainName = quotedName ?? '', text = ''] =
      /^#[ \t]+(TYPE|HELP|UNIT)[ \t]+(?:"((?:[^"\\]|\\.)*)"|(\S+))(?:[ \t]+(.*))?$/su.exec(comment) ?? [];
    if (keyword === undefined) return;
    const family = findOrAdd(this.#families, unescapeText(plainName), () => ({ ...untyped }));
    if (keyword === 'HELP') family.help = unescapeText(text);
    else if (keyword === 'UNIT') family.unit = text.trim();
    else this.#setType(family, text.trim());
  }

  /** The meaning of a sample with this name. */
  find(name: string): SampleMeaning {
    for (const [suffix, base] of listBases(name)) {
      const family = this.#families.get(base);
      const kind = kindsByType[family?.type ?? '']?.[suffix];
      if (family === undefined || kind === undefined) continue;
      const metric = kind === 'created' ? undefined : this.#createMetric(name, family, kind);
      if (family.type !== 'histogram' || metric === undefined) return { family: base, metric };
      return { family: base, metric, histogram: this.#createHistogram(base, family) };
    }
    const family = this.#families.get(name) ?? untyped;
    return { family: name, metric: this.#createMetric(name, family, 'gauge') };
  }

  #createHistogram(name: string, { unit, help }: Family): HistogramMetric {
    return findOrAdd(this.#histograms, name, () => ({
      name,
      unit: findUnit(unit),
      description: help,
      kind: 'histogram',
    }));
  }

  #setType(family: Family, type: string): void {
    if (family.type !== type && family.type !== untyped.type) this.isOutdated = true;
    family.type = type;
  }

  #createMetric(name: string, { unit, help }: Family, kind: MetricKind): Metric {
    return findOrAdd(this.#metrics, `${kind} ${name}`, () => ({
      name,
      unit: findUnit(unit),
      description: help,
      kind,
      valueType: 'double',
    }));
  }
}

/** The family names that a sample's name may belong to, and its suffix in each. */
function listBases(name: string): readonly (readonly [suffix: string, base: string])[] {
  const [, base = '', suffix = ''] = /^(.+)(_[a-z]+)$/su.exec(name) ?? [];
  return suffix === ''
    ? [['', name]]
    : [
        ['', name],
        [suffix, base],
      ];
}
