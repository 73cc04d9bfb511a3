import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { openThreadedSender } from '../../src/export/threaded-sender.js';
import { restoreRequest, SqliteBatcher } from '../../src/sql/sqlite-batcher.js';
import { checkConfig, schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create: (config, context) =>
    new QueuedExporter(config, context, {
      createEncoder: (emit) => new SqliteBatcher(config.batch, emit),
      restore: restoreRequest,
      openSender: () =>
        openThreadedSender({
          module: new URL('./writing-thread.js', import.meta.url),
          config: { ...config, path: config.path ?? '' },
          log: context.log,
        }),
    }),
};
