import type { Conflict } from '../component/conflict-report.js';
import type { ComponentConfig } from '../config/components.js';
import type { ServiceConfig } from '../config/service.js';
import { groupByExporter } from './series-claims.js';

type Receiver = ComponentConfig<'receiver'>;

/**
 * Pairs of receivers that would publish the same series to the same exporter, as far as their settings show it without
 * starting them: once for each pair, in the order of the configuration.
 */
export function findExpectedConflicts({ receivers, pipelines }: ServiceConfig): readonly Conflict[] {
  const routed = [...receivers.values()].map((receiver) => ({
    receiver,
    exporters: pipelines.filter((one) => one.receivers.includes(receiver.id)).flatMap((one) => one.exporters),
  }));
  return groupByExporter(routed).flatMap((group) =>
    group.flatMap(({ receiver }, i) =>
      group.slice(0, i).flatMap(({ receiver: earlier }) => findConflict(receiver, earlier) ?? []),
    ),
  );
}

function findConflict(receiver: Receiver, earlier: Receiver): Conflict | undefined {
  if (standsIn(receiver, earlier) || standsIn(earlier, receiver)) return undefined;
  const taken = new Set(listSeries(earlier).map(({ key }) => key));
  const found = listSeries(receiver).find(({ key }) => taken.has(key));
  return found && { receiver: receiver.id, owner: earlier.id, metric: found.metric };
}

/** Then only one of the two runs. */
function standsIn(one: Receiver, other: Receiver): boolean {
  return one.keys.fallback_for.includes(other.id);
}

function listSeries({ factory, settings }: Receiver) {
  const series = factory.expectedSeries?.(settings) ?? [];
  return series.map(({ metric, scope }) => ({ metric, key: `${metric} ${scope}` }));
}
