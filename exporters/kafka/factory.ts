import type { ExporterFactory } from '../../src/component/component.js';
import type { Log } from '../../src/component/log.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import type { Sender } from '../../src/export/request-delivery.js';
import { openThreadedSender } from '../../src/export/threaded-sender.js';
import { createBatcher, createRequest } from '../../src/otlp/batcher.js';
import { checkConfig, limitBatch, schema, type Config } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkConfig,
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => createBatcher(limitBatch(config), emit, config.identity),
      restore: createRequest,
      openSender: () => open(config, context.log),
    });
  },
};

/** The client compresses 1 MB at once, which may take 13 ms: it runs on a separate thread. */
async function open(config: Config, log: Log): Promise<Sender> {
  if (config.producer.compression !== 'none')
    return openThreadedSender({ module: new URL('./sending-thread.js', import.meta.url), config, log });
  const { openKafkaSender } = await import('./kafka-sender.js');
  return openKafkaSender(config, log);
}
