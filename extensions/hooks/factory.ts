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
  #hasStarted = false;

  constructor(config: Config, context: ExtensionContext) {
    this.#config = config;
    this.#context = context;
  }

  async start(): Promise<void> {
    // Set first: what the first hook did is undone even if the second one fails.
    this.#hasStarted = true;
    for (const hook of this.#config.start) {
      try {
        await this.#run(hook, 'start', hook.timeout);
      } catch (error) {
        if (hook.required) throw error;
        this.#context.log.error(`${describeError(error)}; continuing without it`);
      }
    }
  }

  async shutdown(timeoutMs = Infinity): Promise<void> {
    if (!this.#hasStarted) return;
    this.#hasStarted = false;
    const endMs = performance.now() + Math.max(minShutdownMs, timeoutMs - reserveMs);
    for (const hook of this.#config.shutdown) {
      const leftMs = Math.max(1, Math.floor(Math.min(hook.timeout, endMs - performance.now())));
      await this.#run(hook, 'shutdown', leftMs).catch((error: unknown) =>
        this.#context.log.error(describeError(error)),
      );
    }
  }

  /** @throws Error naming the hook */
  async #run(hook: Hook, event: HookCall['event'], timeoutMs: number): Promise<void> {
    const { log } = this.#context;
    const name = nameHook(hook);
    log.debug(`Running ${name} at ${event}`);
    try {
      if (hook.module !== null) await runModule(hook.module, { event, log }, timeoutMs);
      else await this.#runCommand(hook, event, timeoutMs);
    } catch (error) {
      throw new Error(`Cannot run ${name} at ${event}: ${describeError(error)}`, { cause: error });
    }
  }

  #runCommand(hook: Hook, event: HookCall['event'], timeoutMs: number): Promise<void> {
    const [program = '/bin/sh', ...args] = hook.shell === null ? hook.command : ['/bin/sh', '-c', hook.shell];
    const name = nameHook(hook);
    return runCommand({
      program,
      args,
      env: { ...process.env, JOULEMETRY_HOOK: event, ...hook.environment },
      workingDirectory: hook.working_directory,
      timeoutMs,
      onLine: (line) => this.#context.log.info(`${name}: ${line}`),
    });
  }
}

/** For messages: without arguments, which may contain secrets. */
function nameHook({ command, shell, module }: Hook): string {
  if (module !== null) return `module "${module}"`;
  return shell === null ? `command "${command[0]}"` : 'shell command';
}
