import type { AgentControl } from '../../src/component/agent-control.js';
import type { ComponentKind } from '../../src/component/kinds.js';

/** What is asked for besides the components. */
export interface VerbOptions {
  /** Milliseconds. */
  readonly interval: number | undefined;
  readonly setting: string | undefined;
}

/** Something that can be done with components. */
export interface Verb {
  /** The kinds that it can be done with: those of others that a pattern means are left out. */
  readonly kinds: readonly ComponentKind[];
  /** What a request lacks, if so. */
  findProblem?(options: VerbOptions): string | undefined;
  /** @throws Error in the words of a user */
  run(agent: AgentControl, name: string, options: VerbOptions): Promise<void>;
}

const inPipelines: readonly ComponentKind[] = ['receiver', 'processor', 'exporter'];

/** By their names, which are those of `joulemetry ctl` and the last part of their path. */
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
