import type { AgentControl, ReloadResult } from '../component/agent-control.js';
import type { Schema, Setting } from '../component/schema.js';
import type { ServiceConfig } from '../config/service.js';
import { stopWithin } from './ending.js';
import type { Environment, Unit } from './graph.js';
import type { RunningReceiver } from './running-receiver.js';
import type { Statuses } from './statuses.js';
import { sortAlongPipelines } from './units.js';

/** The parts of a service that its extensions control. */
interface Controlled {
  readonly receivers: readonly RunningReceiver[];
  /** Processors and exporters. */
  readonly consumers: readonly Unit[];
  readonly isStopping: boolean;
  /** The configuration that runs, or is being started. */
  readonly config: ServiceConfig;
  flush(): Promise<void>;
  reload(): Promise<ReloadResult>;
  /** Runs work while no reload is in progress. */
  alone(work: () => Promise<void>): Promise<void>;
  /** Offers the claims of a stopped receiver to those that were refused them. */
  replace(stopped: RunningReceiver): Promise<void>;
}

const stopMs = 4000;
const seconds = (ms: number) => (ms >= 1000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms)} ms`);

/** The agent as its extensions control it. */
export function createAgentControl(
  service: Controlled,
  statuses: Statuses,
  environment: Pick<Environment, 'onShutdownRequest' | 'logFor'>,
): AgentControl {
  const findReceiver = (verb: string, name: string): RunningReceiver => {
    const id = name.replace(/^receiver:/u, '');
    const receiver = service.receivers.find((one) => one.id === id);
    if (receiver?.status.state === 'stopped')
      throw new Error(
        `Cannot ${verb} ${receiver.name}: expected one that runs, found it stopped; restart the agent`,
      );
    if (receiver) return receiver;
    const ids = service.receivers.map((one) => one.id).join(', ') || 'none';
    throw new Error(
      `Cannot ${verb} receiver "${id}": expected one that runs (${ids}), found none of that id`,
    );
  };
  const findConsumers = (name: string): readonly Unit[] =>
    service.consumers.filter(({ kind, id }) => `${kind}:${id}` === name);
  const setActive = async (verb: 'pause' | 'resume', name: string): Promise<void> => {
    const consumers = findConsumers(name);
    for (const one of consumers) {
      requireRunning(verb, one);
      one.status[verb]();
    }
    if (consumers.length > 0) return;
    const { loops, status } = findReceiver(verb, name);
    await loops[verb]();
    status[verb]();
  };
  return {
    reload: () => service.reload(),
    get isStopping() {
      return service.isStopping;
    },
    listComponents: () => sortAlongPipelines(statuses.list(), service.config),
    pause: (name) => setActive('pause', name),
    resume: (name) => setActive('resume', name),
    async setInterval(name, intervalMs, setting) {
      const { loops, schema } = findReceiver('set the interval of', name);
      await loops.setInterval(intervalMs, setting, (known) => readLimits(schema, known));
    },
    trigger: async (name) => findReceiver('trigger', name).component.flush?.(),
    stop: (name) =>
      service.alone(async () => {
        const consumers = findConsumers(name).filter(({ kind }) => kind === 'exporter');
        for (const one of consumers) await shutDown(one, environment);
        if (consumers.length > 0) return;
        const receiver = findReceiver('stop', name);
        await shutDown(receiver, environment);
        await service.replace(receiver);
      }),
    flush: () => service.flush(),
    findStall: () => findStall(service.receivers),
    shutdown: () => environment.onShutdownRequest?.(),
  };
}

function requireRunning(verb: string, { name, status }: Unit): void {
  if (status.state !== 'stopped') return;
  throw new Error(`Cannot ${verb} ${name}: expected one that runs, found it stopped; restart the agent`);
}

/** No table reaches it while it shuts down. */
async function shutDown(one: Unit | RunningReceiver, { logFor }: Pick<Environment, 'logFor'>): Promise<void> {
  const isReceiver = 'loops' in one;
  if (!isReceiver) one.status.enter('stopped');
  await stopWithin(one, performance.now() + stopMs, logFor());
  one.status.enter('stopped');
  if ('endSeries' in one) one.endSeries();
}

/** Minimum and maximum of a setting in milliseconds. */
function readLimits(schema: Schema, setting: string): Pick<Setting, 'min' | 'max'> {
  const found = schema[setting];
  return found && 'format' in found && typeof found.format === 'string' ? (found as Setting) : {};
}

/**
 * Pipelines without a receiver that is reading. Receivers that accept what others send, and paused ones, count
 * as reading.
 */
function findStall(receivers: readonly RunningReceiver[]): string | undefined {
  const pipelines = new Set(receivers.flatMap((one) => one.status.pipelines));
  for (const pipeline of pipelines) {
    const stalls = receivers
      .filter((one) => one.status.pipelines.includes(pipeline) && one.status.state !== 'stopped')
      .map(({ loops }) => loops.findStallMs());
    const [first] = stalls;
    if (first === undefined || stalls.includes(undefined)) continue;
    return `no receiver of the pipeline "${pipeline}" has read for ${seconds(first)} longer than its interval`;
  }
  return undefined;
}
