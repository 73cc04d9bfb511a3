import type { ConsumingComponent, ExporterContext } from '../component/component.js';
import { QueuedExporter, type BatchConfig, type QueuedExporterConfig } from '../export/queued-exporter.js';
import type { Sender } from '../export/request-delivery.js';
import { SqlBatcher } from './sql-batcher.js';
import { createSqlRequest } from './sql-request.js';

/** An exporter to a database with the tables of `layout.ts`. @param openSender loads its client and connects */
export function createSqlExporter(
  config: QueuedExporterConfig & { readonly batch: BatchConfig },
  context: ExporterContext,
  openSender: () => Promise<Sender>,
): ConsumingComponent {
  return new QueuedExporter(config, context, {
    createEncoder: (emit) => new SqlBatcher(config.batch, emit),
    restore: createSqlRequest,
    openSender,
  });
}
