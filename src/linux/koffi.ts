import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

const require = createRequire(import.meta.url);

/**
 * koffi. Only the platform package with the native addon is loaded: koffi's own modules add only a few
 * deprecated functions, and take 3 ms of every start on Node 20 and 9 ms on Node 24.
 */
export const koffi = loadKoffi();

function loadKoffi(): typeof Koffi {
  const platform = `@koromix/koffi-${process.platform}-${process.arch}`;
  try {
    // Resolved from koffi, whose dependency it is. Its functions have koffi's types.
    return createRequire(require.resolve('koffi'))(platform) as typeof Koffi;
  } catch {
    // Not installed if koffi was built on this machine.
    return require('koffi') as typeof Koffi;
  }
}
