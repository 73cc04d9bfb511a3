import { parseEndpoint } from './endpoint.js';
import { hideCredentials } from './hide-credentials.js';
import type { Problem } from './problem.js';
import type { PeriodicConfig, TelemetryConfig } from './service-schema.js';

type Readers = TelemetryConfig['metrics']['readers'];

const listPath = 'service.telemetry.metrics.readers';

/** What is wrong with the readers of the collector's own telemetry when their settings are taken together. */
export function findReaderProblems(readers: Readers): readonly Problem[] {
  const problems = readers.flatMap((reader, i) => findProblems(reader, `${listPath}[${i}]`));
  // There is one server; what else is asked for would be left out without a word.
  const pulls = readers.filter(({ pull }) => pull !== null).length;
  if (pulls <= 1) return problems;
  return [...problems, { path: listPath, message: `expected one pull reader at most, found ${pulls}` }];
}

function findProblems({ pull, periodic }: Readers[number], path: string): readonly Problem[] {
  if ((pull === null) === (periodic === null)) {
    const found = pull === null ? 'neither' : 'both';
    return [{ path, message: `expected either pull or periodic, found ${found}` }];
  }
  return periodic === null ? [] : findPushProblems(periodic, `${path}.periodic`);
}

function findPushProblems({ interval, timeout, exporter }: PeriodicConfig, path: string): readonly Problem[] {
  const { endpoint, client_certificate: certificate, client_key: key } = exporter.otlp;
  const problems: Problem[] = [];
  if (timeout !== null && timeout > interval) {
    const message = `expected at most the interval, ${interval}ms, found ${timeout}ms`;
    problems.push({ path: `${path}.timeout`, message });
  }
  if (!isEndpoint(endpoint)) {
    const message = `expected host:port such as "localhost:4317", found "${hideCredentials(endpoint)}"`;
    problems.push({ path: `${path}.exporter.otlp.endpoint`, message });
  }
  if ((certificate === null) !== (key === null)) {
    const message = 'expected client_certificate and client_key together, found only one of them';
    problems.push({ path: `${path}.exporter.otlp`, message });
  }
  return problems;
}

function isEndpoint(text: string): boolean {
  try {
    return parseEndpoint(text.replace(/^https?:\/\//u, '').replace(/\/$/u, '')).host !== '';
  } catch {
    return false;
  }
}
