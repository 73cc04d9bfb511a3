import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';

const lastPid = '/proc/sys/kernel/ns_last_pid';

/** Starts a sleeping process with a PID that was used before. Another program may take the PID first. */
export async function spawnAs(pid: number): Promise<ChildProcess | undefined> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      writeFileSync(lastPid, String(pid - 1));
    } catch {
      return undefined;
    }
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    if (child.pid === pid) return child;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return undefined;
}
