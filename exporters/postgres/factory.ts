import type { ExporterFactory } from '../../src/component/component.js';
import { createSqlExporter } from '../../src/sql/sql-exporter.js';
import { checkConfig, schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create: (config, context) =>
    createSqlExporter(config, context, async () => {
      const { openPostgresSender } = await import('./postgres-sender.js');
      return openPostgresSender(config, context.log);
    }),
};
