import type { Probe, Remedy } from '../../src/component/probe.js';
import type { Config } from './config.js';
export function probe(_config: Config): Probe {
  const remedies: Remedy[] = [];
  return { available: true, found: '', remedies };
}
