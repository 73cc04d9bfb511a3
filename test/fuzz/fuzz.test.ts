import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { WorkThread } from '../../src/work-thread.js';
import type { FuzzMessage } from './fuzz-thread.js';

/** Takes a few seconds; a million takes some minutes. */
const inputs = Number(process.env['JOULEMETRY_FUZZ_INPUTS'] ?? 10_000);
const seed = Number(process.env['JOULEMETRY_TEST_SEED'] ?? 1);

/** Runs the inputs in a thread, which is terminated when a parser does not return. */
function fuzz(folder: string): Promise<readonly string[]> {
  const problems: string[] = [];
  let reached = 'the first';
  return new Promise((resolve) => {
    const thread = new WorkThread<never, FuzzMessage>({
      module: new URL('./fuzz-thread.js', import.meta.url),
      data: { seed, inputs, folder },
      onMessage: (message) => {
        if (message.type === 'at') reached = message.what;
        else if (message.type === 'problem') problems.push(message.what);
        else void thread.terminate().then(() => resolve(problems));
      },
      onEnd: (reason) => resolve([...problems, `${reason}, after ${reached}`]),
    });
  });
}

test(`parsers accept any of ${inputs} damaged inputs or report what is wrong`, async () => {
  const folder = createFolder();
  assert.deepEqual(await fuzz(folder), []);
});
