import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkClientConfig } from '../../src/http/client.js';
import { createBatcher, createRequest } from '../../src/otlp/batcher.js';
import { checkOtlpConfig } from '../../src/otlp/otlp-settings.js';
import { schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: (config) => [...checkOtlpConfig(config), ...checkClientConfig(config)],
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => createBatcher(config.batch, emit),
      restore: createRequest,
      async openSender() {
        const { openHttpSender } = await import('./http-sender.js');
        return openHttpSender(config, context.log);
      },
    });
  },
};
