import type { Attributes } from '../../src/model/series.js';
import { translateLabel } from '../../src/prometheus/names.js';

/**
 * The text of a label set, braces included, labels in order of their names, so that equal sets have equal texts.
 * Attributes whose names become the same label are joined by `;`. An empty value is no label, as in Prometheus.
 */
export function renderLabels(attributes: Attributes): string {
  const names = Object.keys(attributes).map((name) => ({ name, label: translateLabel(name) }));
  let text = '';
  let last = '';
  for (const { name, label } of names.toSorted(compareLabels)) {
    const value = escapeText(String(attributes[name]));
    if (value === '') continue;
    text = label === last ? `${text.slice(0, -1)};${value}"` : `${text},${label}="${value}"`;
    last = label;
  }
  return text === '' ? '' : `{${text.slice(1)}}`;
}

interface Named {
  readonly name: string;
  readonly label: string;
}

function compareLabels(one: Named, other: Named): number {
  if (one.label === other.label) return one.name < other.name ? -1 : 1;
  return one.label < other.label ? -1 : 1;
}

/** Escapes backslash, line feed and double quote. */
export function escapeText(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
