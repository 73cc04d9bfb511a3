import { AggregationType, type ViewOptions } from '@opentelemetry/sdk-metrics';
import type { TelemetryLevel } from './telemetry.js';

/** What says how good the work is, but not whether something is lost: left out at `basic`. */
const beyondBasic = [
  'nodejs.*',
  'joulemetry.attribution.*',
  'joulemetry.sampler.ticks',
  'joulemetry.sampler.lateness',
  'joulemetry.scrape.duration',
];

/** The SDK's views that leave out what a level does not have. */
export function viewsOf(level: TelemetryLevel): ViewOptions[] {
  if (level !== 'basic') return [];
  return beyondBasic.map((instrumentName) => ({
    instrumentName,
    aggregation: { type: AggregationType.DROP },
  }));
}
