import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Log } from '../../src/component/log.js';

/** The argument of a module's default export. */
export interface HookCall {
  readonly event: 'start' | 'shutdown';
  /** Aborted when the time limit is exceeded. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Calls the default export of a module and waits for its result.
 * @throws Error when it has no such function, when the function throws, or when the time limit is exceeded
 */
export async function runModule(
  path: string,
  call: Omit<HookCall, 'signal'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const controller = new AbortController();
  const done = callModule(path, { ...call, signal: controller.signal });
  const timer = new AbortController();
  const late = async () => {
    const limits = [timer.signal, ...(signal ? [signal] : [])];
    await sleep(timeoutMs, undefined, { signal: AbortSignal.any(limits) }).catch(() => {});
    const limit = signal?.aborted === true ? 'before the collector' : `within ${timeoutMs} ms`;
    const over = new Error(`expected it to end ${limit}, found it running; not waiting any longer`);
    controller.abort(over);
    throw over;
  };
  const limit = late();
  try {
    await Promise.race([done, limit]);
  } finally {
    timer.abort();
    // A failure after the time limit is not reported.
    done.catch(() => {});
    limit.catch(() => {});
  }
}

async function callModule(path: string, call: HookCall): Promise<void> {
  const loaded = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  if (typeof loaded.default !== 'function')
    throw new Error(`expected a function as its default export, found ${typeof loaded.default}`);
  await (loaded.default as (call: HookCall) => unknown)(call);
}
