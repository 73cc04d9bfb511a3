import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { nameExecutable } from '../identity/executable.js';
import { IdentityReader } from '../identity/process-identity.js';
import { ProcessStat } from '../linux/process-stat.js';
import {
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_THREAD_NAME,
} from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { findProgram, findRawPath } from './find-program.js';

// BINPRM_BUF_SIZE and the maximum depth of interpreters in fs/exec.c.
const firstLineBytes = 256;
const maxInterpreters = 5;

/**
 * The identity of the command, as all receivers of processes publish it. Its process exists already, but still
 * waits to execute the program: what depends on the program is derived from its file.
 */
export function readCommandIdentity(pid: number, program: Buffer): Attributes {
  const stat = new ProcessStat();
  stat.read(`/proc/${pid}`);
  const options = { procfs: '/proc', passwd: '/etc/passwd', hasCommandLine: false, service: true };
  const { attributes } = new IdentityReader(options).read(pid, stat);
  const path = resolveExecutable(program);
  return {
    ...attributes,
    [ATTR_PROCESS_EXECUTABLE_NAME]: nameExecutable(path),
    [ATTR_PROCESS_EXECUTABLE_PATH]: path,
    // TASK_COMM_LEN.
    [ATTR_PROCESS_THREAD_NAME]: program
      .subarray(program.lastIndexOf('/') + 1)
      .subarray(0, 15)
      .toString('utf8'),
  };
}

/** The file that the kernel will execute: for a script, that of its interpreter. */
function resolveExecutable(program: Buffer): string {
  let path = program;
  for (let depth = 0; depth < maxInterpreters; depth++) {
    const interpreter = findInterpreter(path);
    if (interpreter === undefined) break;
    path = interpreter;
  }
  try {
    return realpathSync.native(path, 'utf8');
  } catch {
    return path.toString();
  }
}

/** The interpreter of a script; if it is env(1), as in most scripts, the program that env will find. */
function findInterpreter(path: Buffer): Buffer | undefined {
  const [, interpreter, argument = ''] = /^#!\s*(\S+)[ \t]*(.*)/.exec(readFirstLine(path)) ?? [];
  if (interpreter === undefined) return undefined;
  const found = Buffer.from(interpreter, 'latin1');
  if (basename(interpreter) !== 'env') return found;
  const name = argument
    .split(/\s+/)
    .find((word) => word !== '' && !word.startsWith('-') && !word.includes('='));
  return name === undefined ? found : (tryFind(Buffer.from(name, 'latin1')) ?? found);
}

function tryFind(name: Buffer): Buffer | undefined {
  try {
    return findProgram(name, findRawPath());
  } catch {
    return undefined;
  }
}

/** One character per byte, since paths need not be UTF-8. */
function readFirstLine(path: Buffer): string {
  const buffer = Buffer.alloc(firstLineBytes);
  try {
    const fd = openSync(path, 'r');
    try {
      const [line = ''] = buffer.toString('latin1', 0, readSync(fd, buffer)).split('\n', 1);
      return line;
    } finally {
      closeSync(fd);
    }
  } catch {
    // It is executable but not readable.
    return '';
  }
}
