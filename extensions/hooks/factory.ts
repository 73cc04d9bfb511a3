import type { Component, ExtensionContext, ExtensionFactory } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { schema, type Config, type Hook } from './config.js';
import { runCommand } from './run-command.js';
import { runModule, type HookCall } from './run-module.js';

/** Runs commands and modules when the collector starts and ends. */
export const factory: ExtensionFactory<typeof schema> = {
  schema,
  check: ({ start, shutdown }) => [
    ...start.flatMap((hook, i) => checkHook(hook, `start[${i}]`)),
    ...shutdown.flatMap((hook, i) => checkHook(hook, `shutdown[${i}]`)),
  ],
  create: (config, context) => new Hooks(config, context),
};

function checkHook({ command, shell, module }: Hook, path: string): readonly string[] {
  const set = [command.length > 0, shell !== null, module !== null].filter(Boolean).length;
  if (set !== 1) return [`${path}: expected one of command, shell and module, found ${set} of them`];
  return command[0] === '' ? [`${path}.command[0]: expected a program, found ""`] : [];
}

/** Minimum, even where the rest of the shutdown has used up its time. */
const minShutdownMs = 200;
/** Reserved from the remaining time, for killing a slow hook and reporting it. */
const reserveMs = 600;

class Hooks implements Component {
  readonly #config: Config;
  readonly #context: ExtensionContext;
  /** Aborts a start hook when the shutdown begins. */
  readonly #stopping = new AbortController();
  #starting: Promise<void> = Promise.resolve();
  #hasStarted = false;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  start(): Promise<void> {
    // Set first: what the first hook did is undone even if the second one fails.
    this.#hasStarted = true;
    this.#starting = this.#runStartHooks();
    return this.#starting;
  }

  async #runStartHooks(): Promise<void> {
    for (const [i, hook] of this.#config.start.entries()) {
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#run(hook, { event: 'start', index: i, timeoutMs: hook.timeout });
      } catch (error) {
        if (hook.required) throw error;
        const end = this.#stopping.signal.aborted ? '' : '; continuing without it';
        this.#context.log.error(`${describeError(error)}${end}`);
      }
    }
  }

  async shutdown(timeoutMs = Infinity): Promise<void> {
    if (!this.#hasStarted) return;
    this.#hasStarted = false;
    const endMs = performance.now() + Math.max(minShutdownMs, timeoutMs - reserveMs);
    this.#stopping.abort();
    await this.#starting.catch(() => {});
    for (const [i, hook] of this.#config.shutdown.entries()) {
      const leftMs = Math.max(1, Math.floor(Math.min(hook.timeout, endMs - performance.now())));
      await this.#run(hook, { event: 'shutdown', index: i, timeoutMs: leftMs }).catch((error: unknown) =>
        this.#context.log.error(describeError(error)),
      );
    }
  }

  /** @throws Error naming the hook */
  async #run(hook: Hook, run: Run): Promise<void> {
    const { log } = this.#context;
    const name = describeRun(hook, run);
    log.debug(`Running ${name}`);
    const signal = run.event === 'start' ? this.#stopping.signal : undefined;
    try {
      if (hook.module === null) await this.#runCommand(hook, run, signal);
      else await runModule(hook.module, { event: run.event, log }, { timeoutMs: run.timeoutMs, signal });
    } catch (error) {
      throw new Error(`Cannot run ${name}: ${describeError(error)}`, { cause: error });
    }
  }

  #runCommand(hook: Hook, run: Run, signal: AbortSignal | undefined): Promise<void> {
    const [program = '/bin/sh', ...args] = hook.shell === null ? hook.command : ['/bin/sh', '-c', hook.shell];
    const name = nameHook(hook, run);
    return runCommand({
      program,
      args,
      env: { ...process.env, JOULEMETRY_HOOK: run.event, ...hook.environment },
      workingDirectory: hook.working_directory,
      timeoutMs: run.timeoutMs,
      signal,
      onLine: (line) => this.#context.log.info(`${name}: ${line}`),
    });
  }
}

/** One run of a hook. */
interface Run {
  readonly event: HookCall['event'];
  /** The place of the hook in its list. */
  readonly index: number;
  readonly timeoutMs: number;
}

/** For messages: without arguments, which may contain secrets. */
function nameHook({ command, shell, module }: Hook, { event, index }: Run): string {
  if (module !== null) return `module "${module}"`;
  return shell === null ? `command "${command[0]}"` : `shell command ${event}[${index}]`;
}

function describeRun(hook: Hook, run: Run): string {
  const name = nameHook(hook, run);
  return hook.shell === null ? `${name} at ${run.event}` : name;
}
