import type { ReceiverFactory } from '../../src/component/component.js';
import type { Probe } from '../../src/component/probe.js';
import { hwEnergy, raplEnergy } from '../../src/model/shared-metrics.js';
import { schema } from './config.js';
import type { Config } from './config.js';
import { domainKinds, nameDomain } from './domain.js';
import { findZones } from './find-powercap.js';
import { describeUndecided, findTwins, Twins } from './counter-fate.js';
import type { EnergyReader } from './energy-reader.js';
import { describeDomains, metricOf } from './metrics.js';
import { openReader } from './open-reader.js';
import type { Opening } from './open-reader.js';
import { RaplReceiver } from './receiver.js';
import { describeCopies, readEnergy } from './zone-aliases.js';

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [hwEnergy, raplEnergy],
  expectedSeries: ({ domains }) =>
    domainKinds.filter((kind) => domains[kind]).map((kind) => ({ metric: metricOf(kind).name, scope: kind })),
  check: ({ domains }) =>
    Object.values(domains).some(Boolean) ? [] : ['domains: all are false, at least one must be read'],
  probe,
  create: (config, context, next) => new RaplReceiver(config, context, next),
};

function probe(config: Config): Probe {
  const opening = openReader(config);
  opening.reader?.close();
  const { notes } = opening;
  const missing = [...opening.failures, ...opening.refusals];
  const reasons = missing.map(({ reason }) => reason);
  const remedies = new Map(
    missing.flatMap((refusal) => refusal.remedies.map((remedy) => [remedy.command, remedy])),
  );
  return {
    available: opening.reader !== undefined,
    found: [...describeOpening(opening, config), ...notes, ...reasons].join('; '),
    remedies: [...remedies.values()],
  };
}

function describeOpening({ reader, hasCounted }: Opening, { sysfs }: Config): readonly string[] {
  if (reader === undefined) return [];
  const domains = reader.domains.filter((_, column) => hasCounted[column]);
  const copies = reader.interface === 'powercap' ? describeCopies(findZones(sysfs)) : [];
  return [describeDomains({ interface: reader.interface, domains }), ...copies, ...describeTwins(reader)];
}

/** What is known of counters that may be the same. */
function describeTwins({ domains, sources, paths }: EnergyReader): readonly string[] {
  return findTwins(domains, paths).flatMap((columns) => {
    const twins = new Twins(columns.map((column) => paths[column]));
    twins.settle(readEnergy);
    const names = columns.map((column) => `${nameDomain(domains[column])} (${sources[column]})`);
    return twins.verdict === 'unknown' ? [describeUndecided(names)] : [];
  });
}
