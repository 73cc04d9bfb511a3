import { setImmediate } from 'node:timers/promises';
import type { Attributes } from '../../src/model/series.js';
import type { Family } from './family.js';
import { escapeText, renderLabels } from './labels.js';
import type { Samples, Snapshot } from './store.js';

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
