import type { ExporterFactory } from '../../src/component/component.js';
import { frameLines } from '../../src/export/json-array.js';
import { createLineParts } from '../../src/export/line-batcher.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkHttpExporterConfig } from '../../src/export/sending-settings.js';
import { schema } from './config.js';
import { jsonPoints } from './json-points.js';

const contentTypes = { json: 'application/json', ndjson: 'application/x-ndjson' } as const;

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkHttpExporterConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      ...createLineParts(jsonPoints, config.batch),
      async openSender() {
        const { openHttpSender } = await import('../../src/export/http-sender.js');
        const { createCompression } = await import('../../src/http/compression.js');
        const options = {
          url: new URL(config.endpoint),
          method: config.method,
          contentType: config.content_type ?? contentTypes[config.format],
          compression: createCompression(config),
          ...(config.format === 'json' && { frame: frameLines }),
        };
        return openHttpSender(config, options, context.log);
      },
    });
  },
};
