import type { ExporterContext, ExporterFactory } from '../../src/component/component.js';
import { readResourceEnvironment } from '../../src/component/resource-environment.js';
import { describeError } from '../../src/errors.js';
import { QueuedExporter, requestLimits } from '../../src/export/queued-exporter.js';
import { replacedClientSettings } from '../../src/http/client.js';
import { checkConfig, schema, type Config } from './config.js';
import { createRequest } from './divide-request.js';
import { RemoteWriteEncoder, type EncoderOptions } from './encoder.js';
import { LabelTable } from './label-table.js';
import type { Protocol } from './remote-write-sender.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  replacedSettings: replacedClientSettings,
  check: checkConfig,
  create(config, context) {
    const nowMs = () => Number(context.clock.monotonicNs() / 1_000_000n);
    const protocol: Protocol = { isVersion1: config.protobuf_message === 'prometheus.WriteRequest' };
    const options = { ...createEncoderOptions(config, context, protocol), nowMs };
    return new QueuedExporter(config, context, {
      createEncoder: (emit) => new RemoteWriteEncoder(options, emit),
      restore: createRequest,
      async openSender() {
        const { openRemoteWriteSender } = await import('./remote-write-sender.js');
        return openRemoteWriteSender(config, protocol, { log: context.log, nowMs });
      },
    });
  },
};

function createEncoderOptions(
  config: Config,
  { host, log }: ExporterContext,
  protocol: Protocol,
): Omit<EncoderOptions, 'nowMs'> {
  return {
    labels: new LabelTable({
      identityLabels: config.identity_labels,
      externalLabels: config.external_labels,
      host: host.attributes,
      common: readResourceEnvironment(process.env, () => {}),
      warn: (message) => log.warn(message),
    }),
    limits: requestLimits(config.batch),
    hasTargetInfo: config.target_info.enabled,
    fail: (error) => log.error(`Cannot encode a table: ${describeError(error)}`),
    hasNativeHistograms: () => config.native_histograms && !protocol.isVersion1,
  };
}
