import type { ExporterFactory } from '../../src/component/component.js';
import { createLineParts } from '../../src/export/line-batcher.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { openThreadedSender } from '../../src/export/threaded-sender.js';
import { checkConfig, schema } from './config.js';
import { queueFormat } from './queued-points.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      ...createLineParts(queueFormat, config.batch),
      openSender: () =>
        openThreadedSender({
          module: new URL('./sending-thread.js', import.meta.url),
          config,
          log: context.log,
        }),
    });
  },
};
