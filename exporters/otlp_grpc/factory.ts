import type { ExporterFactory } from '../../src/component/component.js';
import { OtlpExporter } from '../../src/export/queued-exporter.js';
import { checkOtlpConfig } from '../../src/otlp/otlp-settings.js';
import { schema } from './config.js';
import { findEndpointProblem } from './target.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check(config) {
    const problem = findEndpointProblem(config.endpoint);
    return [...(problem === undefined ? [] : [problem]), ...checkOtlpConfig(config)];
  },
  create(config, context) {
    return new OtlpExporter(config, context, async () => {
      const { openGrpcSender } = await import('./grpc-sender.js');
      return openGrpcSender(config, context.log);
    });
  },
};
