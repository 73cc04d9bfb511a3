import { formatRatio, formatSize, formatValue } from '../component/format-value.js';
import type { EventUnit } from '../linux/perf/counted-event.js';
import type { CommandCounts, CountRatio, EventCount } from './command-events.js';
import { formatCount } from './numbers.js';

/** What events counted, for people: name, count, rate, and what there is to say of it. */
export function eventRows(
  { events, ratios }: CommandCounts,
  seconds: number,
): readonly (readonly string[])[] {
  return [['', 'count', 'rate', ''], ...events.map((count) => eventRow(count, ratios, seconds))];
}

/** A count in its unit. */
export function formatEvent(value: number, unit: EventUnit): string {
  if (unit === '{event}') return formatCount(value);
  return unit === 'By' ? formatSize(value) : formatValue(value, unit);
}

function eventRow(count: EventCount, ratios: readonly CountRatio[], seconds: number): readonly string[] {
  const { name, unit, value, note } = count;
  if (value === undefined) {
    return [name, count.runningRatio === 0 ? '<not counted>' : '<not supported>', '', note ?? ''];
  }
  const ratio = ratios.find((one) => one.name === name);
  const notes = [
    ...(ratio ? [describeRatio(ratio)] : []),
    ...describeRunning(count),
    ...(note ? [note] : []),
  ];
  return [name, formatEvent(value, unit), formatRate(value / seconds, unit), notes.join('; ')];
}

/** Seconds per second are CPUs, joules per second watts. */
function formatRate(perSecond: number, unit: EventUnit): string {
  if (unit === 's') return `${perSecond.toFixed(3)} CPUs`;
  if (unit === 'J') return formatValue(perSecond, 'W');
  return unit === 'By' ? `${formatSize(perSecond)}/s` : formatValue(perSecond, '/s');
}

function describeRatio({ kind, of, value }: CountRatio): string {
  return kind === 'instructions_per_cycle'
    ? `${value.toFixed(2)} per cycle`
    : `${formatRatio(value)} of ${of}`;
}

function describeRunning({ runningRatio }: EventCount): readonly string[] {
  if (runningRatio === undefined || runningRatio >= 1) return [];
  return [`counted ${formatRatio(runningRatio)} of the time, scaled`];
}
