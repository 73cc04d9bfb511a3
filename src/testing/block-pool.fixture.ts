import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Keeps every thread of Node's pool from reading anything.
 * @param folder where a FIFO is made
 * @returns lets the threads go on; may be called again
 */
export function blockPool(folder: string): () => Promise<void> {
  const path = join(folder, 'nothing-written');
  execFileSync('mkfifo', [path]);
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const blocked = Array.from({ length: threads }, () => open(path, 'r'));
  let isBlocked = true;
  return async () => {
    if (!isBlocked) return;
    isBlocked = false;
    const writer = openSync(path, 'w');
    for (const one of blocked) await (await one).close();
    closeSync(writer);
  };
}
