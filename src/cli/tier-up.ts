import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 compile a function with its optimising compiler only when it has run long. At 1 Hz nearly nothing does,
 * and compiling costs more than it ever saves: without this an agent of 300 processes uses half as much CPU time
 * again in its first minutes, and 7 MB more. A sampling loop reaches the budget within seconds all the same.
 * The V8 of later Node versions has a cheaper compiler in between, and no such flag.
 */
export function delayTierUp(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--interrupt-budget=2000000');
}
