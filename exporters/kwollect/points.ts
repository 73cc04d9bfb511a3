import { hostname } from 'node:os';
import type { LineFormat } from '../../src/export/line-batcher.js';
import type { Metric } from '../../src/model/series.js';
import type { Config } from './config.js';

type NameConfig = Pick<Config, 'hostname' | 'append_unit_to_metric_name'>;

/** Points in the format of Kwollect's API, one JSON object per line. */
export function createPointFormat(config: NameConfig): LineFormat {
  const device = config.hostname ?? hostname().replace(/\..*/u, '');
  return {
    startRow: (unixNs) => `{"timestamp":${formatSeconds(unixNs)},`,
    describeSeries({ metric, resource, attributes }) {
      const point = {
        device_id: device,
        metric_id: nameOf(metric, config),
        labels: { ...resource.attributes, ...attributes },
      };
      return { text: `${JSON.stringify(point).slice(1, -1)},"value":`, formatValue };
    },
    endRow: () => '}\n',
  };
}

/** Seconds with six digits, since Kwollect stores microseconds. A double has fewer digits than this decimal text. */
function formatSeconds(unixNs: bigint): string {
  const microseconds = unixNs / 1000n;
  return `${microseconds / 1_000_000n}.${String(microseconds % 1_000_000n).padStart(6, '0')}`;
}

/** JSON has no infinity. */
function formatValue(value: number): string | undefined {
  return Number.isFinite(value) ? String(value) : undefined;
}

/** `hw.energy` in `J` becomes `hw_energy_J`; `{process}` and `1` are not units. */
function nameOf({ name, unit }: Metric, { append_unit_to_metric_name: isAppended }: NameConfig): string {
  const suffix = isAppended ? unit.replaceAll(/\{.*?\}/gu, '') : '';
  const full = suffix === '' || suffix === '1' ? name : `${name}_${suffix}`;
  return full.replaceAll(/\W+/gu, '_');
}
