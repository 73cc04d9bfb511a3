import type { ExporterFactory } from '../../src/component/component.js';
import { createLineParts } from '../../src/export/line-batcher.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkConfig, schema } from './config.js';
import { lineProtocol } from './line-protocol.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      ...createLineParts(lineProtocol, config.batch),
      async openSender() {
        const { openInfluxdbSender } = await import('./influxdb-sender.js');
        return openInfluxdbSender(config, context.log);
      },
    });
  },
};
