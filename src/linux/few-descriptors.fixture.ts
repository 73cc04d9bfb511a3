import { spawnSync } from 'node:child_process';

const program = `
  import { closeSync, openSync, readdirSync } from 'node:fs';
  const count = () => readdirSync('/proc/self/fd').length;
  attempt();
  let failures = 0;
  for (let free = 0; free < 8; free++) {
    const before = count();
    const held = [];
    try {
      for (;;) held.push(openSync('/dev/null'));
    } catch {}
    for (const fd of held.splice(0, free)) closeSync(fd);
    try {
      attempt();
    } catch {
      failures++;
    }
    held.forEach((fd) => closeSync(fd));
    if (count() !== before) console.log(free + ' free: ' + before + ' open before, ' + count() + ' after');
  }
  if (failures < 2 || failures === 8) console.log(failures + ' failures');`;

/**
 * Runs a function in a process of its own with 0 to 7 free descriptors, so that it fails at each one that it opens.
 * @param script a module that declares it as `attempt`; it closes what it opens
 * @returns one line for each number with which it leaves a descriptor open; empty: none
 */
export function findLeftOpen(script: string): string {
  const node = [process.execPath, '--input-type=module', '-e', script + program];
  const limited = ['-c', 'ulimit -n 100; exec "$@"', 'sh', ...node];
  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8' });
  return stdout + stderr;
}
