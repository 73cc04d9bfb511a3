import type { ExporterFactory } from '../../src/component/component.js';
import { OtlpExporter } from '../../src/export/queued-exporter.js';
import { checkOtlpConfig } from '../../src/otlp/otlp-settings.js';
import { schema } from './config.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: checkOtlpConfig,
  create(config, context) {
    return new OtlpExporter(config, context, async () => {
      const { openHttpSender } = await import('./http-sender.js');
      return openHttpSender(config, context.log);
    });
  },
};
