import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

const require = createRequire(import.meta.url);

/**
 * koffi. What is loaded is the package of this platform, with the addon that does the work: on top of it koffi's own
 * modules add a few deprecated functions only, and take 3 ms of every start on Node 20 and 9 ms on Node 24.
 */
export const koffi = loadKoffi();

function loadKoffi(): typeof Koffi {
  const platform = `@koromix/koffi-${process.platform}-${process.arch}`;
  try {
    // Seen from koffi, whose dependency it is. Its functions are those of koffi's types.
    return createRequire(require.resolve('koffi'))(platform) as typeof Koffi;
  } catch {
    // Not there where koffi was built on this machine.
    return require('koffi') as typeof Koffi;
  }
}
