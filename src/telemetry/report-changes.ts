import { ExportResultCode } from '@opentelemetry/core';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { describeError } from '../errors.js';
import type { Log } from '../component/log.js';
import { describeConnectionError } from '../http/connection-error.js';
import { OutageLog } from '../export/outage-log.js';

type Export = PushMetricExporter['export'];
type Result = Parameters<Parameters<Export>[1]>[0];

/** Where pushes go. */
export interface PushTarget {
  /** For messages. */
  readonly target: string;
  /** Whether without TLS. */
  readonly isPlain: boolean;
}

/**
 * An exporter whose outages are logged by `OutageLog`. The SDK's reader would log each failure, as often as it
 * pushes: it learns of none.
 */
export function reportChanges(
  exporter: PushMetricExporter,
  { target, isPlain }: PushTarget,
  log: Log,
): PushMetricExporter {
  const outage = new OutageLog(log, {
    action: `push own telemetry to ${target}`,
    consequence: 'Trying again',
  });
  const report = ({ code, error }: Result): void => {
    if (code !== ExportResultCode.SUCCESS)
      outage.failed(describeConnectionError(describeError(error), isPlain));
    else if (outage.recovered() !== undefined) log.info(`Pushes own telemetry to ${target} again`);
  };
  const exportReported: Export = (metrics, done) =>
    exporter.export(metrics, (result) => {
      report(result);
      done({ code: ExportResultCode.SUCCESS });
    });
  return {
    export: exportReported,
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => {
      outage.close();
      return exporter.shutdown();
    },
  };
}
