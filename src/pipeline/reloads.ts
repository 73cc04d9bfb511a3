import type { ReloadResult, SettingChanges } from '../component/agent-control.js';
import type { Log } from '../component/log.js';
import { ConfigurationError, describeProblem } from '../config/problem.js';
import type { ServiceConfig } from '../config/service.js';
import { describeError } from '../errors.js';
import type { Environment, Unit } from './graph.js';

/** The components that a reload changed, by their names in messages. */
export type Changes = Pick<ReloadResult, 'started' | 'stopped' | 'restarted'>;

/** The result of applying a configuration. */
export interface Applied extends SettingChanges {
  /** Undefined if its components are those that are running. */
  readonly changes: Changes | undefined;
}

/**
 * Applies a configuration.
 * @throws Error saying why the old one is in use again
 */
export type Apply = (config: ServiceConfig) => Promise<Applied>;

const none: Changes = { started: [], stopped: [], restarted: [] };

type Watched = Pick<Environment, 'loadConfig' | 'logFor' | 'onReloading' | 'onReloaded'>;

/** Runs reloads, and work that must not overlap with a reload, one after the other; logs the result of each reload. */
export class Reloads {
  readonly #environment: Watched;
  readonly #log: Log;
  readonly #apply: Apply;
  #current: Promise<unknown> | undefined;
  #next: Promise<ReloadResult> | undefined;

  constructor(environment: Watched, apply: Apply) {
    this.#environment = environment;
    this.#log = environment.logFor();
    this.#apply = apply;
  }

  /** Fulfilled when no reload is in progress. */
  async settle(): Promise<void> {
    while (this.#current) await this.#current;
  }

  /**
   * Reads the configuration and applies it. Requests during a reload share the next one, since the files may
   * have changed after they were read. Never rejects.
   */
  request(): Promise<ReloadResult> {
    if (this.#current === undefined) {
      this.#environment.onReloading?.();
      return this.#hold(this.#run(), () => this.#environment.onReloaded?.());
    }
    this.#next ??= this.settle().then(() => {
      this.#next = undefined;
      return this.request();
    });
    return this.#next;
  }

  /** Runs other work that changes what is running, while no reload is in progress. */
  async alone(work: () => Promise<void>): Promise<void> {
    // Checked and held in one turn: several callers may wait for the same end.
    while (this.#current) await this.#current;
    await this.#hold(work());
  }

  #hold<Result>(work: Promise<Result>, onEnd: () => void = () => {}): Promise<Result> {
    const held = work.finally(() => {
      this.#current = undefined;
      onEnd();
    });
    // Failures are handled by the caller; others only wait for the end.
    this.#current = held.catch(() => {});
    return held;
  }

  async #run(): Promise<ReloadResult> {
    let config: ServiceConfig;
    try {
      config = await this.#load();
    } catch (error) {
      const problem = describeRefusal(error);
      this.#log.error(`Cannot reload the configuration: ${problem}; nothing has changed`);
      return { outcome: 'refused', ...none, problem };
    }
    try {
      const { changes, settings, kept } = await this.#apply(config);
      this.#log.info(describeChanges(changes, settings));
      for (const reason of kept) this.#log.error(reason);
      return {
        outcome: changes || settings.length > 0 ? 'changed' : 'unchanged',
        ...none,
        ...changes,
        ...(settings.length > 0 && { settings }),
        ...(kept.length > 0 && { kept }),
      };
    } catch (error) {
      const problem = describeError(error);
      this.#log.error(`Cannot apply the configuration: ${problem}; using the old one again`);
      return { outcome: 'rolled_back', ...none, problem };
    }
  }

  async #load(): Promise<ServiceConfig> {
    if (this.#environment.loadConfig) return this.#environment.loadConfig();
    throw new Error('expected an agent that can reload its configuration, found one that cannot');
  }
}

function describeRefusal(error: unknown): string {
  if (!(error instanceof ConfigurationError)) return describeError(error);
  return error.problems.map(describeProblem).join('; ');
}

function describeChanges(changes: Changes | undefined, settings: readonly string[]): string {
  if (changes === undefined && settings.length === 0)
    return 'Read the configuration again: nothing has changed';
  const parts = Object.entries({ ...changes, changed: settings })
    .filter(([, names]) => names.length > 0)
    .map(([verb, names]) => `${verb} ${names.join(', ')}`);
  return `Reloaded the configuration: ${parts.join('; ') || 'no component had to start or stop'}`;
}

/** Running components, by stable keys. */
export type Running = ReadonlyMap<string, Pick<Unit, 'name' | 'component'>>;

/** The differences between two sets of running components. */
export function compareRunning(before: Running, after: Running): Changes {
  const listNames = (all: Running, isListed: (key: string) => boolean) => [
    ...new Set([...all].filter(([key]) => isListed(key)).map(([, { name }]) => name)),
  ];
  return {
    started: listNames(after, (key) => !before.has(key)),
    stopped: listNames(before, (key) => !after.has(key)),
    restarted: listNames(
      after,
      (key) => before.has(key) && before.get(key)?.component !== after.get(key)?.component,
    ),
  };
}
