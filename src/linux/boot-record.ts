import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readRegularFile } from './regular-file.js';

/** Where values are kept for other runs of the collector during the same boot. */
export interface BootRecords {
  /** Read in this order; the first one from this boot is used. */
  readonly read: readonly string[];
  /** Undefined: nothing is written. */
  readonly write: string | undefined;
}

/**
 * Root keeps the record for every user. Another user has a record of its own, and uses that of root if it has
 * none: a published value never changes.
 */
export function findBootRecords(name: string): BootRecords {
  const ofRoot = `/run/joulemetry/${name}`;
  if (process.geteuid?.() === 0) return { read: [ofRoot], write: ofRoot };
  const folder = process.env['XDG_RUNTIME_DIR'];
  if (folder === undefined || folder === '') return { read: [ofRoot], write: undefined };
  const own = join(folder, 'joulemetry', name);
  return { read: [own, ofRoot], write: own };
}

/** Differs between boots, and between time namespaces, which have their own boot instants. */
export function readBootId(procfs: string): string | undefined {
  const id = readText(`${procfs}/sys/kernel/random/boot_id`).trim();
  if (id === '') return undefined;
  const offset = /^boottime\s+(.*)$/m.exec(readText(`${procfs}/self/timens_offsets`))?.[1] ?? '0 0';
  return `${id} ${offset.replaceAll(/\s+/g, ' ')}`;
}

/**
 * @param boot from `readBootId`
 * @returns what was written, or undefined if there is nothing from this boot
 */
export function readBootRecord(path: string, boot: string, maxBytes: number): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size > maxBytes) return undefined;
  const text = readText(path);
  return text.startsWith(`${boot}\n`) ? text.slice(boot.length + 1).trimEnd() : undefined;
}

/** Writes atomically. If the record cannot be written, every run computes the value again. */
export function writeBootRecord(path: string, boot: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    makeFolder(dirname(path));
    writeFileSync(draft, `${boot}\n${text}\n`, { mode: 0o644, flag: 'wx' });
    renameSync(draft, path);
  } catch {
    // The folder does not exist or is read-only, for example in a container.
  }
}

function readText(path: string): string {
  try {
    return readRegularFile(path).toString('latin1');
  } catch {
    return '';
  }
}

function makeFolder(path: string): void {
  // Not recursively: Node never returns where the kernel forbids creating folders, as in /proc.
  if (!existsSync(path)) mkdirSync(path, { mode: 0o755 });
}
