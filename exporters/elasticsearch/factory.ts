import type { ExporterFactory } from '../../src/component/component.js';
import { createLineParts } from '../../src/export/line-batcher.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkConfig, schema } from './config.js';
import { bulkFormat } from './documents.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      ...createLineParts(bulkFormat, config.batch),
      async openSender() {
        const { openElasticsearchSender } = await import('./elasticsearch-sender.js');
        return openElasticsearchSender(config, context.log);
      },
    });
  },
};
