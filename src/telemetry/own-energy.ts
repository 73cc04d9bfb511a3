import type { Consumer } from '../component/consumer.js';
import { seriesKey } from '../model/key.js';
import { createPlans } from '../model/plan.js';
import { processEnergy } from '../model/shared-metrics.js';
import type { Series } from '../model/series.js';
import { readValue, type Table } from '../model/table.js';
import { ATTR_PROCESS_PID } from '../model/semantic-conventions.js';

/** Watches what passes for the energy that was attributed to one process. */
export interface OwnEnergy extends Consumer {
  /** Joules since the process was first seen, over all kinds of hardware; undefined before that. */
  readJoules(): number | undefined;
}

/** @param pid the process to watch, by default this one */
export function watchOwnEnergy(pid: number = process.pid): OwnEnergy {
  /** By key: pipelines that attribute each for itself do not count twice. */
  const joules = new Map<string, number>();
  const findOwn = createPlans((series: readonly Series[]) =>
    series.flatMap((one, column) => (isOwn(one, pid) ? [{ one, column }] : [])),
  );
  return {
    consume(table: Table): boolean {
      const lastRow = table.offsets.length - 1;
      if (lastRow < 0) return true;
      for (const { one, column } of findOwn(table.series)) {
        const value = readValue(table, lastRow, column);
        if (!Number.isNaN(value)) joules.set(seriesKey(one), value);
      }
      return true;
    },
    readJoules: () =>
      joules.size === 0 ? undefined : [...joules.values()].reduce((sum, value) => sum + value, 0),
  };
}

function isOwn({ metric, resource }: Series, pid: number): boolean {
  return metric.name === processEnergy.name && resource.attributes[ATTR_PROCESS_PID] === pid;
}
