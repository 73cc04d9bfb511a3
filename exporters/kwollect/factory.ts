import type { ExporterFactory } from '../../src/component/component.js';
import { appendPath } from '../../src/config/endpoint.js';
import { frameLines } from '../../src/export/json-array.js';
import { createLineParts } from '../../src/export/line-batcher.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { createCompression } from '../../src/http/compression.js';
import { checkConfig, schema } from './config.js';
import { createPointFormat } from './points.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      ...createLineParts(createPointFormat(config), config.batch),
      async openSender() {
        const { openHttpSender } = await import('../../src/export/http-sender.js');
        const url = appendPath(config.endpoint, '/metrics');
        const options = { contentType: 'application/json', frame: frameLines };
        return openHttpSender(
          config,
          { url, ...options, compression: createCompression(config) },
          context.log,
        );
      },
    });
  },
};
