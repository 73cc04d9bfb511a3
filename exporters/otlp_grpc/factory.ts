import type { ExporterFactory } from '../../src/component/component.js';
import { QueuedExporter } from '../../src/export/queued-exporter.js';
import { checkSendingConfig } from '../../src/export/sending-settings.js';
import { checkCredentials } from '../../src/http/client.js';
import { checkTlsConfig } from '../../src/http/tls-files.js';
import { createBatcher, createRequest } from '../../src/otlp/batcher.js';
import { findEndpointProblem, schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check(config) {
    const problem = findEndpointProblem(config.endpoint);
    return [
      ...(problem === undefined ? [] : [`endpoint: ${problem}`]),
      ...checkSendingConfig(config),
      ...checkTlsConfig(config.tls),
      ...checkCredentials(config.credentials),
    ];
  },
  create(config, context) {
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => createBatcher(config.batch, emit, config.identity),
      restore: createRequest,
      async openSender() {
        const { openGrpcSender } = await import('./grpc-sender.js');
        return openGrpcSender(config, context.log);
      },
    });
  },
};
