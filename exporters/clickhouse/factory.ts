import type { ExporterFactory } from '../../src/component/component.js';
import { checkHttpExporterConfig } from '../../src/export/sending-settings.js';
import { createSqlExporter } from '../../src/sql/sql-exporter.js';
import { schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkHttpExporterConfig,
  create: (config, context) =>
    createSqlExporter(config, context, async () => {
      const { openClickhouseSender } = await import('./clickhouse-sender.js');
      return openClickhouseSender(config, context.log);
    }),
};
