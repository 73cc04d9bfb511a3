import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

/** koffi, by `require`: an import of it would take 3 ms more of every start. */
export const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi; // Its own types.
