import { lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { findErrorCode } from '../errors.js';
import { hasCapabilities } from '../linux/privileges.js';

/** Part of `node:module` since Node 22.1. */
interface CompileCache {
  enableCompileCache?(folder: string): unknown;
}

/**
 * Lets Node cache compiled code, where it can, for the next start. A user who can write the cache controls what
 * this process does, so it is kept in a folder that only this user can write, or not at all.
 */
export function enableCompileCache(): void {
  const { enableCompileCache: enable } = process.getBuiltinModule('node:module') as object as CompileCache;
  // NODE_COMPILE_CACHE has enabled it already.
  if (enable === undefined || process.env['NODE_COMPILE_CACHE'] !== undefined) return;
  const folder = findCacheFolder(process.env);
  if (folder !== undefined) enable(folder);
}

/**
 * The folder for compiled code, according to the XDG Base Directory Specification. It is created if it is
 * missing.
 * @returns undefined where another user, or this user with fewer privileges, could write it
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
    // A home that is missing, read-only or full: everything works without the cache.
    return undefined;
  }
}

/** Does not create the home folder itself. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (findErrorCode(error) !== 'EEXIST') throw error;
  }
}

/** An unprivileged process of the same user could write code that this one runs. */
function hasMoreRightsThanUser(): boolean {
  return process.geteuid?.() !== 0 && hasCapabilities();
}

const writableByOthers = 0o022;
/** Others may then create files in a folder but not replace those of other users. */
const sticky = 0o1000;

/** Whether only root and this user can write a folder or replace it. */
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
