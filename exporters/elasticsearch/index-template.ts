import type { QueuedRequest } from '../../src/component/queue-storage.js';
import type { Config } from './config.js';

export const templateName = 'joulemetry';

const instant = { type: 'date_nanos' };
const keyword = { type: 'keyword', ignore_above: 1024 };

/**
 * The index template: a data stream whose fields have the types that queries need. Strings in resources and
 * attributes become keywords, even if the first one looks like a date.
 */
export function describeTemplate({ metrics_index: index }: Config): QueuedRequest {
  const template = {
    index_patterns: [index],
    data_stream: {},
    priority: 500,
    template: {
      mappings: {
        properties: {
          '@timestamp': instant,
          start: instant,
          metric: keyword,
          unit: keyword,
          kind: keyword,
          value: { type: 'double' },
        },
        dynamic_templates: [{ texts: { match_mapping_type: 'string', mapping: keyword } }],
        date_detection: false,
      },
    },
  };
  return { bytes: Buffer.from(JSON.stringify(template)), points: 0 };
}
