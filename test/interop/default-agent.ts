import type { TestContext } from 'node:test';
import { startAgent, writeConfig } from '../agent.js';
import { createMeter } from './simulated-meter.js';

export interface DefaultAgentOptions {
  /** Maximum number of processes, and of groups of each other view, with series of their own; 0: all. */
  readonly processLimit?: number;
  readonly groupLimit?: number;
  /** Whether its page reports when each counter was 0. */
  readonly hasStarts?: boolean;
  /** How long ended series stay on the page. */
  readonly endedFor?: string;
}

/** Starts the agent with its default configuration and a simulated meter. It ends with the test. */
export async function startDefaultAgent(
  t: TestContext,
  { processLimit = 50, groupLimit = 50, hasStarts = false, endedFor = '60s' }: DefaultAgentOptions = {},
): Promise<void> {
  const meter = createMeter(t);
  const over = writeConfig(`
receivers: {rapl: {sysfs: ${meter.sysfs}, interface: powercap}}
processors:
  attribution: {floor: [{hw_type: cpu, power: 2}], process_limit: ${processLimit}, group_limit: ${groupLimit}}
exporters: {prometheus: {created_timestamps: ${hasStarts}, ended_for: ${endedFor}}}
`);
  const agent = startAgent(['run', '-c', 'config/default.yaml', '-c', over]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  meter.run();
}
