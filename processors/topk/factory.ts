import { reportConflicts } from '../../src/component/claims.js';
import type { ProcessorFactory } from '../../src/component/component.js';
import { OnePublisher } from '../../src/model/one-publisher.js';
import { checkConfig, schema } from './config.js';
import { TopK } from './topk.js';

/** Forwards the series of the groups with the highest usage, and the sum of all others. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, { log }, next) {
    const publishers = new OnePublisher(reportConflicts(() => log));
    return new TopK(config, {
      log,
      forward(table) {
        const published = publishers.apply(table);
        return published === undefined || next.consume(published);
      },
    });
  },
};
