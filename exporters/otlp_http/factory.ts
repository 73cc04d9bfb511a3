import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkHttpExporterConfig } from '../../src/export/sending-settings.js';
import { replacedClientSettings } from '../../src/http/client.js';
import { createBatcher, createRequest } from '../../src/otlp/batcher.js';
import { schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  replacedSettings: replacedClientSettings,
  check: checkHttpExporterConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => createBatcher(config.batch, emit, config.identity),
      restore: createRequest,
      async openSender() {
        const { openOtlpSender } = await import('./otlp-sender.js');
        return openOtlpSender(config, context.log);
      },
    });
  },
};
