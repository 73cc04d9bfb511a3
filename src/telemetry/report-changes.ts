import { ExportResultCode } from '@opentelemetry/core';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { describeError } from '../component/errors.js';
import type { Log } from '../component/log.js';
import { describeConnectionError } from '../otlp/connection-error.js';

type Export = PushMetricExporter['export'];
type Result = Parameters<Parameters<Export>[1]>[0];

/**
 * An exporter whose failures are told when they begin and when they end. The SDK's reader would tell each, as often
 * as it pushes: it hears of none.
 * @param target where pushes go, for messages
 */
export function reportChanges(exporter: PushMetricExporter, target: string, log: Log): PushMetricExporter {
  let isFailing = false;
  const report = ({ code, error }: Result): void => {
    const hasFailed = code !== ExportResultCode.SUCCESS;
    const reason = error ? `: ${describeConnectionError(describeError(error))}` : '';
    if (hasFailed && !isFailing) log.warn(`Cannot push own telemetry to ${target}${reason}. Trying again`);
    if (!hasFailed && isFailing) log.info(`Pushes own telemetry to ${target} again`);
    isFailing = hasFailed;
  };
  const exportReported: Export = (metrics, done) =>
    exporter.export(metrics, (result) => {
      report(result);
      done({ code: ExportResultCode.SUCCESS });
    });
  return {
    export: exportReported,
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}
