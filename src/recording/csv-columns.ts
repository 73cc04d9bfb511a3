import {
  attributesKey,
  resourceKey,
  type AnySeries,
  type AttributeValue,
  type Metric,
  type Series,
} from '../model/series.js';
import { timeText } from './cell-text.js';
import { attributesText, findAttribute } from './otlp-json.js';

/** The columns in front of attributes and metrics, in this order. */
export const fixedColumns = [
  'time',
  'start_time',
  'kind',
  'type',
  'state',
  'resource',
  'attributes',
] as const;

/** The header of a metric's column: its name, and its unit in parentheses, even if that is empty. */
export function metricColumn({ name, unit }: Pick<Metric, 'name' | 'unit'>): string {
  return `${name} (${unit})`;
}

/** The metric of a column header from `parseCsvHeader`; undefined for other columns. */
export function parseMetricColumn(head: string): Pick<Metric, 'name' | 'unit'> | undefined {
  const at = head.endsWith(')') ? head.lastIndexOf(' (') : -1;
  return at < 0 ? undefined : { name: head.slice(0, at), unit: head.slice(at + 2, -1) };
}

/**
 * What a spreadsheet reads as a formula (OWASP, CSV injection), also after blanks and in the full-width forms
 * that East Asian versions accept; and texts that look already protected, so that the original can be restored.
 */
const formulaStart = /^'*(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/u;

/** Protects a text from evaluation in spreadsheets: a possible formula gets a leading apostrophe. */
export function inertText(text: string): string {
  return formulaStart.test(text) ? `'${text}` : text;
}

/** Reverses `inertText`. */
function originalText(text: string): string {
  return text.startsWith("'") && formulaStart.test(text) ? text.slice(1) : text;
}

/** The column headers in a file's first line. */
export function parseCsvHeader(line: string): readonly string[] {
  return parseCsvLine(line).map(originalText);
}

/** Quotes a field according to RFC 4180. */
export function csvField(text: string): string {
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The fields that all points of a row share, apart from the instant. */
export function sharedFields(
  series: AnySeries,
  state: string,
  attributeColumns: readonly string[],
): readonly string[] {
  const { metric, resource, attributes, start } = series;
  return [
    start === 0n ? '' : timeText(start),
    metric.kind,
    'valueType' in metric ? metric.valueType : 'double',
    state,
    attributesText(resource.attributes),
    attributesText(attributes),
    ...attributeColumns.map((name) => plainText(findAttribute(series, name))),
  ];
}

/** Without line breaks, so that each line of a file is a row. Numbers stay numbers. */
function plainText(value: AttributeValue | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? inertText(value.replaceAll(/[\r\n]+/gu, ' ')) : String(value);
}

/** The key of a row: points with the same key share a row. */
export function rowKey({ metric, resource, attributes, start }: Series): string {
  const keys = [resourceKey(resource), attributesKey(attributes)];
  return JSON.stringify([...keys, String(start), metric.kind, metric.valueType]);
}

/** The fields of a line. */
export function parseCsvLine(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    const close = line[at] === '"' ? findClosingQuote(line, at + 1) : -1;
    const comma = line.indexOf(',', Math.max(at, close));
    const end = comma < 0 ? line.length : comma;
    fields.push(close < 0 ? line.slice(at, end) : line.slice(at + 1, close).replaceAll('""', '"'));
    at = end + 1;
  }
  return fields;
}

/**
 * Two quotes are an escaped one. -1: the field is not closed. Not a regular expression, since long fields
 * overflow its stack.
 */
function findClosingQuote(line: string, from: number): number {
  let at = line.indexOf('"', from);
  while (at >= 0 && line[at + 1] === '"') at = line.indexOf('"', at + 2);
  return at;
}
