import { readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { readPath } from '../linux/procfs.js';
import { findOrAdd } from '../model/plan.js';

/** The program of a process, as far as it may be read. */
export interface Executable {
  /** Its path on disk, possibly a former one. Undefined: not readable, or the process is about to exit. */
  readonly path: string | undefined;
  /** The base name of the path. */
  readonly name: string | undefined;
  /** Identifies the file even after it was renamed or replaced. */
  readonly file: string | undefined;
  /**
   * Size of the program's code in KiB, if the path is not readable: every user may read it, a process cannot
   * easily change it, and two programs rarely share it.
   */
  readonly codeKib: number | undefined;
}

const deletedMark = ' (deleted)';
const memoryFile = '/memfd:';
const buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** More than most machines run at a time. */
const maxShared = 1000;
const shared = new Map<string, Executable>();

/**
 * Reads the program of a process: the same object for processes with the same program, of which there may be
 * thousands.
 * @param folder of the process in procfs
 */
export function readExecutable(folder: string): Executable {
  const link = tryRead(() => readlinkSync(`${folder}/exe`));
  if (link === undefined)
    return { path: undefined, name: undefined, file: undefined, codeKib: readCodeKib(folder) };
  const file = tryRead(() => describeFile(`${folder}/exe`));
  const path = withoutMark(link, file);
  if (shared.size >= maxShared) shared.clear();
  return findOrAdd(shared, `${file}\n${path}`, () => ({
    path,
    name: nameExecutable(path),
    file,
    codeKib: undefined,
  }));
}

/** The base name of a program's path. */
export function nameExecutable(path: string): string {
  // A program that runs from a memfd has a label instead of a path, which may contain slashes.
  if (!path.startsWith(memoryFile)) return basename(path);
  const [label = ''] = path.slice(1).split('/', 1);
  return label.replace(/:$/, '');
}

/**
 * Whether a process still runs the same program.
 * @param isRenamed whether the name of its main thread has changed
 */
export function isSameProgram(before: Executable, now: Executable, isRenamed: boolean): boolean {
  if (before.path !== undefined && now.path !== undefined) {
    return before.path === now.path || (before.file !== undefined && before.file === now.file);
  }
  if (!isRenamed) return true;
  // The thread name changes with the program, but a process may also set it itself.
  return before.codeKib !== undefined && before.codeKib === now.codeKib;
}

/** Removes the kernel's mark on a program that was replaced on disk; it is still the same one that runs. */
function withoutMark(link: string, file: string | undefined): string {
  if (!link.endsWith(deletedMark)) return link;
  const isName = file !== undefined && tryRead(() => describeFile(link)) === file;
  return isName ? link : link.slice(0, -deletedMark.length);
}

function describeFile(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
}

function readCodeKib(folder: string): number | undefined {
  const text = tryRead(() => buffer.toString('latin1', 0, readPath(`${folder}/status`, buffer))) ?? '';
  const kib = /^VmExe:\s*(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib);
}

function tryRead<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
