import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { BusyLoad, CommandLoad } from './load.js';

/** Commands of the processes that this one has started and that run. */
function listChildren(): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/u.test(pid)) return [];
    try {
      const [, state, parent] = /\) (\S) (\d+)/u.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      if (Number(parent) !== process.pid || state === 'Z') return [];
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
    } catch {
      return [];
    }
  });
}

function countBusy(): number {
  return listChildren().filter((command) => command.includes('for(;;)')).length;
}

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

test('BusyLoad has a level for each number of CPUs', () => {
  assert.deepEqual(new BusyLoad(4, 8).levels, [
    '2 of 8 CPUs busy',
    '4 of 8 CPUs busy',
    '6 of 8 CPUs busy',
    '8 of 8 CPUs busy',
  ]);
  assert.deepEqual(new BusyLoad(4, 2).levels, ['1 of 2 CPUs busy', '2 of 2 CPUs busy']);
});

test('BusyLoad runs as many processes as its level says, and none after it was stopped', async () => {
  const load = new BusyLoad(2, 2);
  load.start(0);
  await waitFor(() => countBusy() === 1);
  load.start(1);
  await waitFor(() => countBusy() === 2);
  load.stop();
  await waitFor(() => countBusy() === 0);
});

test('CommandLoad starts its command again when it ends, and stops all that it has started', async () => {
  const folder = createFolder();
  const failures: string[] = [];
  const load = new CommandLoad(
    `if [ -e ${folder}/once ]; then touch ${folder}/again; sleep 1000; else touch ${folder}/once; fi`,
    (reason) => failures.push(reason),
  );
  load.start();
  await waitFor(() => existsSync(join(folder, 'again')));
  load.stop();
  await waitFor(() => !listChildren().some((command) => command.includes(folder)));
  assert.deepEqual(failures, []);
});

test('CommandLoad reports a command that fails', async () => {
  const failures: string[] = [];
  const load = new CommandLoad('exit 3', (reason) => failures.push(reason));
  load.start();
  await waitFor(() => failures.length > 0);
  assert.deepEqual(failures, ['exit code 3']);
  load.stop();
});
