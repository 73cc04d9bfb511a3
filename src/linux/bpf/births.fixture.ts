import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/**
 * Starts processes at the same time: otherwise the next thread has the address of an ended one.
 * @returns the id of their parent, and what ends all of them
 */
export function startTogether(t: TestContext, count: number, command: string) {
  const loop = `i=0; while [ $i -lt ${count} ]; do ${command} & i=$((i+1)); done; wait`;
  const shell = spawn('sh', ['-c', loop], { detached: true, stdio: 'ignore' });
  const exited = once(shell, 'exit');
  let isOver = false;
  const end = async () => {
    if (!isOver) process.kill(-(shell.pid ?? 0), 'SIGKILL');
    isOver = true;
    await exited;
  };
  t.after(end);
  return { parent: shell.pid, end };
}
