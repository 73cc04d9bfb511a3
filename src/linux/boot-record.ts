import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readRegularFile } from './regular-file.js';

/** Where something is kept for other runs of the collector during the same boot. */
export interface BootRecords {
  /** Read in this order; the first one that belongs to this boot counts. */
  readonly read: readonly string[];
  /** Undefined: it is not kept. */
  readonly write: string | undefined;
}

/**
 * Root keeps the record for everyone. Another user has one of his own, and goes by that of root where he has none:
 * what he has published once stays.
 */
export function findBootRecords(name: string): BootRecords {
  const ofRoot = `/run/joulemetry/${name}`;
  if (process.geteuid?.() === 0) return { read: [ofRoot], write: ofRoot };
  const folder = process.env['XDG_RUNTIME_DIR'];
  if (folder === undefined || folder === '') return { read: [ofRoot], write: undefined };
  const own = join(folder, 'joulemetry', name);
  return { read: [own, ofRoot], write: own };
}

/** Differs from boot to boot, and between time namespaces, which have instants of boot of their own. */
export function readBootId(procfs: string): string | undefined {
  const id = readText(`${procfs}/sys/kernel/random/boot_id`).trim();
  if (id === '') return undefined;
  const offset = /^boottime\s+(.*)$/m.exec(readText(`${procfs}/self/timens_offsets`))?.[1] ?? '0 0';
  return `${id} ${offset.replaceAll(/\s+/g, ' ')}`;
}

/**
 * @param boot by `readBootId`
 * @returns what was written, or undefined where there is nothing of this boot
 */
export function readBootRecord(path: string, boot: string, maxBytes: number): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() !== true || status.size > maxBytes) return undefined;
  const text = readText(path);
  return text.startsWith(`${boot}\n`) ? text.slice(boot.length + 1).trimEnd() : undefined;
}

/** A reader sees all of it or nothing. Where it cannot be written, it is worked out again by every run. */
export function writeBootRecord(path: string, boot: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    makeFolder(dirname(path));
    writeFileSync(draft, `${boot}\n${text}\n`, { mode: 0o644, flag: 'wx' });
    renameSync(draft, path);
  } catch {
    // No such folder, or one that is read-only: a container, say.
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
  // Not recursively: Node never returns where the kernel makes no folders, as in /proc.
  if (!existsSync(path)) mkdirSync(path, { mode: 0o755 });
}
