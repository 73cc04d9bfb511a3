import type { Metric } from '../model/series.js';
import type { CounterColumn } from './counter-table.js';
import type { Counts } from './counts.js';
import { findLine, findNextLine } from './lines.js';

const usPerSecond = 1e6;
const label = 'total=';

/** The columns of a file of pressure stall information, by resource (`cpu`, `memory`, `io`, `irq`) and stall type. */
export function describeStalls(
  metric: Metric,
  resource: string,
  types: readonly string[],
): readonly CounterColumn[] {
  return types.map((type) => ({
    metric,
    attributes: { 'system.linux.pressure.resource': resource, 'system.linux.pressure.stall_type': type },
    perUnit: usPerSecond,
  }));
}

/**
 * Parses the totals of a file of pressure stall information, in microseconds.
 * @param types `some`, `full`
 * @returns the first stall type without a total, if any
 */
export function parsePressure(text: Buffer, types: readonly string[], totals: Counts): string | undefined {
  for (const [column, type] of types.entries()) {
    const line = findLine(text, `${type} `);
    const at = line < 0 ? -1 : text.indexOf(label, line, 'latin1');
    if (at < 0 || at >= findNextLine(text, line)) return type;
    if (totals.parseOne(column, text, at + label.length) < 0) return type;
  }
  return undefined;
}
