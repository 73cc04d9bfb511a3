import { countText, doubleText } from './cell-text.js';
import { listColumns, wholeColumns, type Figure, type HistogramColumn } from './histogram-columns.js';

// Figures of histograms as texts: plain numbers, and lists in JSON.

/** The text of a figure; empty if there is none. */
export function figureText(column: HistogramColumn, figure: Figure): string {
  if (figure === undefined) return '';
  const textOf = wholeColumns.has(column) ? wholeText : doubleText;
  return typeof figure === 'number' ? textOf(figure) : `[${Array.from(figure, textOf).join(',')}]`;
}

function wholeText(value: number): string {
  return value < 0 ? String(value) : countText(value);
}

/**
 * Parses a figure.
 * @throws Error if it is invalid
 */
export function parseFigure(column: HistogramColumn, text: string): Figure {
  const value = listColumns.has(column) ? parseNumbers(text) : Number(text);
  if (value !== undefined && !Number.isNaN(value)) return value;
  const expected = listColumns.has(column) ? 'a list of numbers' : 'a number';
  throw new Error(`expected ${expected} in the column "${column}", found "${text}"`);
}

function parseNumbers(text: string): Float64Array | undefined {
  try {
    return numbersOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The numbers of a list; undefined if it is not a list of numbers. */
export function numbersOf(list: unknown): Float64Array | undefined {
  if (!Array.isArray(list)) return undefined;
  const items: readonly unknown[] = list;
  return items.every((item) => typeof item === 'number') ? Float64Array.from(items) : undefined;
}
