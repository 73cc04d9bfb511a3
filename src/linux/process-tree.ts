import { readdirSync, readFileSync } from 'node:fs';

/**
 * A process and all that descend from it now, the process first. Orphans are not among them, and where the kernel
 * does not list children (CONFIG_PROC_CHILDREN), neither are those.
 */
export function listProcessTree(pid: number, procfs = '/proc'): readonly number[] {
  return [pid, ...listChildren(`${procfs}/${pid}/task`).flatMap((child) => listProcessTree(child, procfs))];
}

/** The children of every thread. */
function listChildren(tasks: string): readonly number[] {
  try {
    return readdirSync(tasks).flatMap((thread) =>
      parsePids(readFileSync(`${tasks}/${thread}/children`, 'latin1')),
    );
  } catch {
    // It has ended meanwhile, and who it left behind has another parent now.
    return [];
  }
}

function parsePids(text: string): readonly number[] {
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
}
