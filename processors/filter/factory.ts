import type { ProcessorFactory } from '../../src/component/component.js';
import { createSeriesFilter } from '../../src/component/series-filter.js';
import { schema } from './config.js';
import { checkRules, createSeriesTest } from './rule.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  check: ({ include, exclude }) => [...checkRules(include, 'include'), ...checkRules(exclude, 'exclude')],
  create: (config, _context, next) => ({
    start() {},
    ...createSeriesFilter(createSeriesTest(config), next),
    shutdown() {},
  }),
};
