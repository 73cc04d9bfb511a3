import { createPlans } from '../../src/model/plan.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import { escapeText, renderLabels } from '../../src/prometheus/labels.js';
import type { LineText } from './block.js';
import type { Entry, Family } from './families.js';
import { renderHistogram } from './histogram-text.js';
import type { HistogramFamily } from './histograms.js';
import type { Snapshot } from './snapshot.js';

/** Formats of Prometheus: classic 0.0.4 or OpenMetrics 1.0. */
export type Format = 'classic' | 'openmetrics';

/** Receives the parts of a page, in order. A part is valid until the next one. */
export type PageSink = (part: Uint8Array) => void;

/** A fraction of a millisecond of work. */
const linesPerStep = 128;
const histogramsPerStep = 8;

/** Writes the page of a snapshot, in steps that each take a fraction of a millisecond. */
export function* writePage(snapshot: Snapshot, format: Format, sink: PageSink): Generator<void, void> {
  const { host, families, values, hasStarts } = snapshot;
  const isStarting = hasStarts && format === 'openmetrics';
  let lines = 0;
  sink(Buffer.from(renderTarget(host, format)));
  for (const { family, blocks } of families) {
    const { isUnknown, metric } = family;
    sink(headOf(family)[isUnknown && format === 'openmetrics' ? 'unknown' : format]);
    const text = isStarting && metric.kind === 'counter' && !isUnknown ? withStart : plain;
    for (const { block, entries, at } of blocks) {
      sink(block.textOf(text).write(entries, values, at));
      lines += entries.length;
      if (lines < linesPerStep) continue;
      yield;
      lines = 0;
    }
  }
  yield* writeHistograms(snapshot, format, sink);
  if (format === 'openmetrics') sink(Buffer.from('# EOF\n'));
}

function* writeHistograms(
  { histograms, hasStarts }: Snapshot,
  format: Format,
  sink: PageSink,
): Generator<void, void> {
  const isOpenMetrics = format === 'openmetrics';
  const form = { isOpenMetrics, hasStart: hasStarts && isOpenMetrics };
  for (const { family, shown } of histograms) {
    sink(Buffer.from(renderHistogramHead(family, format)));
    for (const [i, one] of shown.entries()) {
      sink(Buffer.from(renderHistogram(family, one, form)));
      if (i % histogramsPerStep === histogramsPerStep - 1) yield;
    }
    yield;
  }
}

/** The lines that introduce a family. */
const headOf = createPlans((family: Family): Readonly<Record<Format | 'unknown', Buffer>> => ({
  classic: Buffer.from(renderHead(family, 'classic')),
  openmetrics: Buffer.from(renderHead(family, 'openmetrics')),
  unknown: Buffer.from(renderUnknownHead(family)),
}));

const before = ({ family, labels }: Entry): string => `${family.sample}${labels} `;

const plain: LineText<Entry> = { before, after: () => '\n' };

/** Including the separate line for a counter's start in OpenMetrics. */
const withStart: LineText<Entry> = { before, after: (entry) => `\n${renderStart(entry)}` };

/** When a counter was 0: Unix time in seconds. Empty: unknown. */
function renderStart({ family, labels, series }: Entry): string {
  if (series.start === 0n) return '';
  const seconds = Number(series.start / 1_000_000n) / 1000;
  return `${family.family}_created${labels} ${seconds}\n`;
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
  const unitLine = isOpenMetrics && unit !== '' ? `# UNIT ${name} ${unit}\n` : '';
  return `${renderDescription(metric, name, format)}# TYPE ${name} ${type}\n${unitLine}`;
}

function renderHistogramHead({ metric, family, unit }: HistogramFamily, format: Format): string {
  const unitLine = format === 'openmetrics' && unit !== '' ? `# UNIT ${family} ${unit}\n` : '';
  return `${renderDescription(metric, family, format)}# TYPE ${family} histogram\n${unitLine}`;
}

/** In OpenMetrics, a counter's samples have the suffix `_total`, which its family's name does not have. */
function renderUnknownHead({ metric, sample }: Family): string {
  return `${renderDescription(metric, sample, 'openmetrics')}# TYPE ${sample} unknown\n`;
}

function renderDescription(
  { description }: Pick<Metric, 'description'>,
  name: string,
  format: Format,
): string {
  return description === '' ? '' : `# HELP ${name} ${renderHelp(description, format)}\n`;
}

/** The classic format does not escape double quotes. */
function renderHelp(text: string, format: Format): string {
  const escaped = escapeText(text);
  return format === 'openmetrics' ? escaped : escaped.replaceAll('\\"', '"');
}
