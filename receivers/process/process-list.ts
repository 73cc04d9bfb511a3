import { readdirSync } from 'node:fs';

/**
 * Lists the processes of a procfs, in no order.
 * @throws Error when the folder cannot be read
 */
export function listProcesses(procfs: string): number[] {
  const pids: number[] = [];
  for (const name of readdirSync(procfs)) {
    const first = name.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) pids.push(Number(name));
  }
  return pids;
}
