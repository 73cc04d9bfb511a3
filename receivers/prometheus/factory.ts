import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createPollingReceiver } from '../../src/scraping/polling-receiver.js';
import { checkConfig } from './check-config.js';
import { schema, type Config } from './config.js';
import { replacedSettings } from './replaced-settings.js';
import { TargetSet } from './target-set.js';

/** Scrapes exporters and applications that serve metrics for Prometheus. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  // The metrics depend on the targets.
  metrics: [],
  replacedSettings,
  check: checkConfig,
  probe: ({ config: { scrape_configs: jobs } }) => {
    const addresses = jobs.flatMap(({ static_configs: groups }) => groups.flatMap(({ targets }) => targets));
    const names = jobs.map(({ job_name: name }) => name);
    return {
      available: true,
      found: `jobs ${names.join(', ') || 'none'} with ${addresses.length} static targets`,
      remedies: [],
    };
  },
  create: createReceiver,
};

function createReceiver(config: Config, context: ReceiverContext, next: Consumer): Component {
  const targets = new TargetSet(config, context);
  return createPollingReceiver({
    intervalMs: config.config.global.scrape_interval,
    // As in Prometheus, a target is scraped at every interval, and "up" is 0 if it does not respond.
    maxBackoffMs: 0,
    context,
    next,
    open: (polled) => targets.open(polled),
    close: () => targets.close(),
  });
}
