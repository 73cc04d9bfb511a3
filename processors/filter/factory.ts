import type { ProcessorFactory } from '../../src/component/component.js';
import { schema } from './config.js';
import { createFilter } from './filter.js';
import { checkRules, createSeriesTest } from './rule.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  check: ({ include, exclude }) => [...checkRules(include, 'include'), ...checkRules(exclude, 'exclude')],
  create: (config, _context, next) => createFilter(createSeriesTest(config), next),
};
