import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { createBatcher, createRequest } from '../../src/otlp/batcher.js';
import { checkConfig, limitBatch, schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => createBatcher(limitBatch(config), emit),
      restore: createRequest,
      async openSender() {
        const { openKafkaSender } = await import('./kafka-sender.js');
        return openKafkaSender(config, context.log);
      },
    });
  },
};
