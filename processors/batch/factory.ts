import type { ProcessorFactory } from '../../src/component/component.js';
import { schema } from './config.js';

/** Does nothing: the exporters batch, so that nothing waits in front of their queues. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create: (_config, { log }, next) => ({
    start: () => log.info('Forwarding every table at once: exporters make batches (setting "batch")'),
    consume: (table) => next.consume(table),
    shutdown() {},
  }),
};
