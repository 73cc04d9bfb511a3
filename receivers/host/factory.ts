import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeError, UnavailableError } from '../../src/component/errors.js';
import type { Log } from '../../src/component/log.js';
import type { Probe, Remedy } from '../../src/component/probe.js';
import { isAbsent } from '../../src/linux/kept-file.js';
import { createScrapingReceiver, type OpenScraper } from '../../src/scraping/scraping-receiver.js';
import { schema, type Config } from './config.js';
import { PartialReadError } from './group.js';
import {
  createGroups,
  HostScraper,
  listExpectedSeries,
  metrics,
  tryGroup,
  type NamedGroup,
} from './host-scraper.js';

/** Reads what the kernel says of the machine: CPU time, memory, disks, network, load, pressure, frequency. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  expectedSeries: listExpectedSeries,
  probe,
  create,
};

/** What is read after the probe reports it. */
const quiet = () => {};
const quietLog: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

function probe(config: Config, context: ReceiverContext): Probe {
  const here: string[] = [];
  const remedies: Remedy[] = [];
  for (const named of createGroups({ config, ...context, log: quietLog })) {
    const error = tryGroup(named);
    named.group.close();
    if (error === undefined || error instanceof PartialReadError) here.push(named.name);
    if (error !== undefined)
      remedies.push({ missing: `${named.name}: ${describeError(error)}`, command: describeRemedy(named) });
  }
  const found = here.length > 0 ? `procfs and sysfs: ${here.join(', ')}` : `nothing below ${config.procfs}`;
  return { available: here.length > 0, found, remedies };
}

function describeRemedy({ name }: NamedGroup): string {
  return name === 'pressure'
    ? 'boot with the kernel parameter psi=1, or set groups.pressure: false'
    : `set groups.${name}: false`;
}

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  const open = () => openScraper(config, context);
  return createScrapingReceiver({ intervalMs: config.collection_interval, context, next, open });
}

function openScraper(config: Config, context: ReceiverContext): OpenScraper {
  const groups = createGroups({ config, ...context }).filter((group) => isHere(group, context.log));
  if (groups.length === 0) {
    throw new UnavailableError(`Cannot read the machine: no group is enabled and below ${config.procfs}`);
  }
  return new HostScraper(groups, () => context.clock.wallNs());
}

/** What this kernel does not have is left out. What only cannot be read is tried again by every scrape. */
function isHere(named: NamedGroup, log: Log): boolean {
  const error = tryGroup(named);
  if (!isAbsent(error) && !(error instanceof UnavailableError)) {
    for (const absent of named.group.absent ?? []) log.info(`Leaves a part of ${named.name} out: ${absent}`);
    return true;
  }
  named.group.close();
  log.info(`Leaves ${named.name} out: ${describeError(error)}`);
  return false;
}
