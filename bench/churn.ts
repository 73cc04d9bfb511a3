import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Not 200 ms: each command would then start at nearly the same offset between two readings of the agent, which
 * are 1 s apart, and drift only by the 2 ms by which a timer is late. The number of commands that are seen, and
 * so the memory in use, would rise and fall once in ten minutes, the length of a soak.
 */
const everyMs = 190;

/**
 * Commands to start in rotation: processes too short for any scan, some that live for several scans, and some
 * that use CPU time.
 */
const commands: readonly (readonly [string, ...string[]])[] = [
  ['true'],
  ['sleep', '0.4'],
  ['sleep', '3'],
  ['sh', '-c', 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 1'],
  ['sleep', '10'],
];

/**
 * Starts five short-lived processes a second.
 * @returns a function that ends them
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
