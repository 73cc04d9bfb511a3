import type { AgentControl } from '../../src/component/agent-control.js';
import type { ComponentKind } from '../../src/component/kinds.js';

/** Options of an action besides the components. */
export interface VerbOptions {
  /** Milliseconds. */
  readonly interval: number | undefined;
  readonly setting: string | undefined;
}

/** An action on components. */
export interface Verb {
  /** The kinds that support the action; components of other kinds that a pattern selects are skipped. */
  readonly kinds: readonly ComponentKind[];
  /** Describes what is missing in a request; undefined if nothing is. */
  findProblem?(options: VerbOptions): string | undefined;
  /** @throws Error with a message for users */
  run(agent: AgentControl, name: string, options: VerbOptions): Promise<void>;
}

const inPipelines: readonly ComponentKind[] = ['receiver', 'processor', 'exporter'];

/** By name, which is the command of `joulemetry ctl` and the last part of the path. */
export const verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['pause', { kinds: inPipelines, run: (agent, name) => agent.pause(name) }],
  ['resume', { kinds: inPipelines, run: (agent, name) => agent.resume(name) }],
  ['stop', { kinds: ['receiver', 'exporter'], run: (agent, name) => agent.stop(name) }],
  ['trigger', { kinds: ['receiver'], run: (agent, name) => agent.trigger(name) }],
  [
    'set-interval',
    {
      kinds: ['receiver'],
      findProblem: ({ interval }) =>
        interval === undefined ? 'expected "interval", such as "500ms", found none' : undefined,
      run: (agent, name, { interval = NaN, setting }) => agent.setInterval(name, interval, setting),
    },
  ],
]);
