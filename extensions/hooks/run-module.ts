import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Log } from '../../src/component/log.js';

/** What a module's default export is called with. */
export interface HookCall {
  readonly event: 'start' | 'shutdown';
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Calls the default export of a module and waits for its result.
 * @throws Error when it has no such function, when that throws, or when the time is over
 */
export async function runModule(
  path: string,
  call: Omit<HookCall, 'signal'>,
  timeoutMs: number,
): Promise<void> {
  const controller = new AbortController();
  const over = new Error(
    `expected it to end within ${timeoutMs} ms, found it running; not waiting any longer`,
  );
  const done = callModule(path, { ...call, signal: controller.signal });
  const timer = new AbortController();
  const late = async () => {
    await sleep(timeoutMs, undefined, { signal: timer.signal });
    controller.abort(over);
    throw over;
  };
  try {
    await Promise.race([done, late()]);
  } finally {
    timer.abort();
    // What it does after its time is its own.
    done.catch(() => {});
  }
}

async function callModule(path: string, call: HookCall): Promise<void> {
  const loaded = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  if (typeof loaded.default !== 'function')
    throw new Error(`expected a function as its default export, found ${typeof loaded.default}`);
  await (loaded.default as (call: HookCall) => unknown)(call);
}
