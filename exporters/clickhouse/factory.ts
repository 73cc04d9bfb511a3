import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkHttpExporterConfig } from '../../src/export/sending-settings.js';
import { SqlBatcher } from '../../src/sql/sql-batcher.js';
import { createSqlRequest } from '../../src/sql/sql-request.js';
import { schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkHttpExporterConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => new SqlBatcher(config.batch, emit),
      restore: createSqlRequest,
      async openSender() {
        const { openClickhouseSender } = await import('./clickhouse-sender.js');
        return openClickhouseSender(config, context.log);
      },
    });
  },
};
