import { createServer } from 'node:http';
import { describeError } from '../../component/errors.js';
import { listen } from '../../component/listen.js';
import type { Log } from '../../component/log.js';
import type { Check } from './check.js';

/** Where an agent with the default configuration listens, and what for. */
const defaultEndpoints = [
  { endpoint: 'localhost:9464', use: 'metrics for Prometheus' },
  { endpoint: 'localhost:8888', use: "the collector's own telemetry" },
  { endpoint: 'localhost:13133', use: 'health check' },
];

/** Looks whether the default endpoints are free. */
export function checkPorts(log: Log): Promise<readonly Check[]> {
  return Promise.all(defaultEndpoints.map((one) => checkPort(one.endpoint, one.use, log)));
}

/** Looks whether one can listen at an endpoint, by doing so. */
export async function checkPort(endpoint: string, use: string, log: Log): Promise<Check> {
  try {
    const listener = await listen(createServer(), endpoint, log);
    await listener.close();
    return { name: endpoint, state: 'ok', found: `free, for ${use}`, remedies: [] };
  } catch (error) {
    const found = `not free, for ${use}; does an agent run already? ${describeError(error)}`;
    return { name: endpoint, state: 'note', found, remedies: [] };
  }
}
