import { applyActions, checkActions, replaceActionSettings } from '../../src/component/attribute-actions.js';
import type { ProcessorFactory } from '../../src/component/component.js';
import { createMappingProcessor } from '../../src/component/mapping-processor.js';
import type { AnySeries } from '../../src/model/series.js';
import { schema, type Config } from './config.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  replacedSettings: {
    ...replaceActionSettings('actions'),
    include: 'use "metrics_transform", whose transforms name metrics in "include"',
    exclude: 'use "metrics_transform", whose transforms name metrics in "include"',
  },
  check: ({ actions }) => checkActions(actions, 'actions'),
  create: ({ actions }, context, next) =>
    createMappingProcessor((series) => mapSeries(series, actions), context, next),
};

function mapSeries<S extends AnySeries>(series: S, actions: Config['actions']): S {
  const attributes = applyActions(series.attributes, actions);
  return attributes === series.attributes ? series : { ...series, attributes };
}
