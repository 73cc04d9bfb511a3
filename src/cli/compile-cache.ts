import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { findErrorCode } from '../errors.js';
import { hasCapabilities } from '../linux/privileges.js';

/** What `node:module` has from Node 22.1 on. */
interface CompileCache {
  enableCompileCache?(folder: string): unknown;
}

/**
 * Lets Node keep what it has compiled, where it can, so that it need not do so again at the next start. A user who can
 * write what is kept decides what this process does: it is kept in a folder of this user's alone, or not at all.
 */
export function enableCompileCache(): void {
  const { enableCompileCache: enable } = process.getBuiltinModule('node:module') as object as CompileCache;
  // Node has enabled it already where NODE_COMPILE_CACHE says where.
  if (enable === undefined || process.env['NODE_COMPILE_CACHE'] !== undefined) return;
  const folder = findCacheFolder(process.env);
  if (folder !== undefined) enable(folder);
}

/**
 * Where compiled code may be kept, as the XDG Base Directory Specification has it. It is made where it is missing.
 * @returns undefined where another user could write it, or one with fewer rights than this process
 */
export function findCacheFolder(environment: NodeJS.ProcessEnv): string | undefined {
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = environment;
  const parent = isAbsolute(cache) ? cache : join(home, '.cache');
  if (!isAbsolute(parent) || hasMoreRightsThanUser()) return undefined;
  try {
    const folder = join(parent, 'joulemetry');
    for (const path of [parent, folder]) makeFolder(path);
    return isOwn(realpathSync(folder)) ? folder : undefined;
  } catch {
    // A home that is missing, read-only or full: everything works without it.
    return undefined;
  }
}

/** Not the home itself: where that is missing, nothing is wanted there. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (findErrorCode(error) !== 'EEXIST') throw error;
  }
}

/** A process of the same user without these rights could write what this one runs. */
function hasMoreRightsThanUser(): boolean {
  return process.geteuid?.() !== 0 && hasCapabilities();
}

const writableByOthers = 0o022;
/** Then others can write a folder, but not replace what is in it. */
const sticky = 0o1000;

/** Whether no other user but root can write a folder, or put another one in its place. */
function isOwn(folder: string): boolean {
  const stat = lstatSync(folder);
  return isTrusted(stat) && (stat.mode & writableByOthers) === 0 && isKept(dirname(folder));
}

function isKept(parent: string): boolean {
  const stat = lstatSync(parent);
  const isSafe = isTrusted(stat) && ((stat.mode & writableByOthers) === 0 || (stat.mode & sticky) !== 0);
  return isSafe && (parent === '/' || isKept(dirname(parent)));
}

function isTrusted({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
