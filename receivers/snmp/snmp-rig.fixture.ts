import type { TestContext } from 'node:test';
import { Agent, fillApc, type AgentValue } from './snmp-agent.fixture.js';

export const often = { collection_interval: '100ms', timeout: '200ms' };

export async function openAgent(
  t: TestContext,
  objects: Readonly<Record<string, AgentValue>> = {},
  host = '127.0.0.1',
): Promise<Agent> {
  const agent = await new Agent(host).listen(t);
  for (const [name, value] of Object.entries(objects)) agent.objects.set(name, value);
  return agent;
}

export async function openApc(t: TestContext, host?: string): Promise<Agent> {
  const agent = await openAgent(t, {}, host);
  fillApc(agent);
  return agent;
}

export const apc = '1.3.6.1.4.1.318.1.1.26';
