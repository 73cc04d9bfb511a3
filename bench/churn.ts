import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Not a fifth of a second: each command would keep its place between the agent's readings, which are a second apart,
 * but for the 2 ms by which a timer is late. How many commands are seen, and so how much memory is used, would rise
 * and fall once in ten minutes, the length of a soak.
 */
const everyMs = 190;

/** What is started in turn: processes that no scan sees, some that live through several scans, some that work. */
const commands: readonly (readonly [string, ...string[]])[] = [
  ['true'],
  ['sleep', '0.4'],
  ['sleep', '3'],
  ['sh', '-c', 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 1'],
  ['sleep', '10'],
];

/**
 * Processes that come and go, five a second.
 * @returns ends them
 */
export function startChurn(): () => void {
  const alive = new Set<ChildProcess>();
  let count = 0;
  const timer = setInterval(() => {
    const [program, ...args] = commands[count++ % commands.length];
    const child = spawn(program, args, { stdio: 'ignore' });
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    child.once('error', () => alive.delete(child));
  }, everyMs);
  return () => {
    clearInterval(timer);
    for (const child of alive) child.kill();
  };
}
