import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { SqlBatcher } from '../../src/sql/sql-batcher.js';
import { createSqlRequest } from '../../src/sql/sql-request.js';
import { schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: ({ path }) => (path === null ? ['path: expected a path, found nothing'] : []),
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => new SqlBatcher(config.batch, emit),
      restore: createSqlRequest,
      async openSender() {
        const { openSqliteSender } = await import('./sqlite-sender.js');
        return openSqliteSender({ ...config, path: config.path ?? '' });
      },
    });
  },
};
