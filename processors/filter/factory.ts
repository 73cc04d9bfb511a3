import type { ProcessorFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createSeriesFilter } from '../../src/component/series-filter.js';
import { checkCollectorRules, createCollectorTest } from './collector-rule.js';
import { schema, type Config } from './config.js';
import { checkRules, createSeriesTest } from './rule.js';

const metricsOnly = 'remove it: there are metrics only';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  replacedSettings: Object.fromEntries([
    ...['traces', 'logs', 'spans', 'profiles'].map((signal) => [signal, metricsOnly]),
    ...['trace', 'log', 'profile'].map((signal) => [`${signal}_conditions`, metricsOnly]),
    ...['include', 'exclude'].map((rule) => [`metrics.${rule}.expressions`, 'use "metric_conditions"']),
  ]),
  check: (config) => [
    ...checkRules(config.include, 'include'),
    ...checkRules(config.exclude, 'exclude'),
    ...checkCollectorRules(config),
  ],
  create: (config, _context, next) => ({
    start() {},
    ...createFilter(config, next),
    shutdown() {},
  }),
};

function createFilter(config: Config, next: Consumer): Consumer {
  const [passesRules, passesCollectorRules] = [createSeriesTest(config), createCollectorTest(config)];
  return createSeriesFilter((series) => passesRules(series) && passesCollectorRules(series), next);
}
