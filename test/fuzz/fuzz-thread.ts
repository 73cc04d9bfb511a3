import { parentPort, workerData } from 'node:worker_threads';
import { createRandom } from '../../src/testing/random.fixture.js';
import { mutate } from './mutate.js';
import type { Target } from './target.js';
import { createTargets } from './targets.js';

/** `at`: starts this input. `problem`: a parser violated its contract. `done`: that was the last input. */
export type FuzzMessage =
  | { readonly type: 'at'; readonly what: string }
  | { readonly type: 'problem'; readonly what: string }
  | { readonly type: 'done' };

const maxProblems = 20;
/** Errors thrown by the engine, not by code that validates its input. */
const foreign = [TypeError, ReferenceError, RangeError, SyntaxError];

/** Words that address the author of the parser rather than the user. */
const engineWords =
  /Cannot (?:read properties|convert|mix|destructure)|is not (?:a function|iterable|defined|an object)|undefined|Unexpected (?:token |end of JSON|non-white)|Invalid (?:array|typed array|date|time|string)|out of bounds| JSON at | not valid JSON/u;

function post(message: FuzzMessage): void {
  parentPort?.postMessage(message, []);
}

function isForeign(error: unknown, { mayThrow = [] }: Target): boolean {
  if (!(error instanceof Error) || /call stack|heap|allocation/iu.test(error.message)) return true;
  if (engineWords.test(error.message)) return true;
  return foreign.some((kind) => error instanceof kind) && !mayThrow.some((kind) => error instanceof kind);
}

async function run(target: Target, input: Buffer): Promise<string | undefined> {
  try {
    await target.parse(input);
    return undefined;
  } catch (error) {
    if (!isForeign(error, target)) return undefined;
    return `${target.name}: ${error instanceof Error ? error.stack : String(error)} of ${input.toString('base64')}`;
  }
}

// Data that the test starts this module with.
interface FuzzData {
  readonly seed: number;
  readonly inputs: number;
  readonly folder: string;
}
const { seed, inputs, folder } = workerData as FuzzData;
const targets = createTargets(folder);
let problems = 0;
for (let i = 0; i < inputs && problems < maxProblems; i += 1) {
  const { fraction: random } = createRandom(seed * 1_000_003 + i);
  const target = targets[i % targets.length];
  const source = target.examples[Math.floor(random() * target.examples.length)];
  const input = mutate(source, random);
  if (i % 1000 < targets.length) post({ type: 'at', what: `input ${i} of seed ${seed}, for ${target.name}` });
  const problem = await run(target, input);
  if (problem === undefined) continue;
  problems += 1;
  post({ type: 'problem', what: `input ${i} of seed ${seed}: ${problem}` });
}
post({ type: 'done' });
