import type { DiagLogger } from '@opentelemetry/api';
import { describeError } from '../errors.js';
import type { Log } from '../component/log.js';

/** The SDK's own complaints, in our log. */
export function createDiagLog(log: Log): DiagLogger {
  // The first text is often but the name of who complains.
  const at =
    (level: keyof Log) =>
    (...said: readonly unknown[]) =>
      log[level](['OpenTelemetry SDK', ...said.filter(isForPeople).map(describeError)].join(': '));
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), verbose: at('debug') };
}

function isForPeople(said: unknown): boolean {
  return typeof said === 'string' || said instanceof Error;
}
