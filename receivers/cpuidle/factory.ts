import type { ReceiverFactory } from '../../src/component/component.js';
import {
  createSourceReceiver,
  probeSources,
  type NamedSource,
} from '../../src/scraping/scraping-receiver.js';
import { schema, type Config } from './config.js';
import { describeIdleStates, metrics } from './idle-states.js';

/** The source of this receiver. */
export function listSources(config: Config): readonly NamedSource[] {
  const remedy = 'load a cpuidle driver; in a virtual machine the hypervisor has it';
  return [{ name: 'idle states', remedy, describe: describeIdleStates(config) }];
}

/** Reads how long and how often CPUs were in each idle state. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  probe: (config, context) => probeSources(listSources(config), context),
  create: (config, context, next) =>
    createSourceReceiver({
      intervalMs: config.collection_interval,
      sources: listSources(config),
      context,
      next,
    }),
};
