import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { nameExecutable } from '../identity/executable.js';
import { Owners } from '../identity/owners.js';
import { IdentityReader } from '../identity/process-identity.js';
import { ProcessStat } from '../linux/process-stat.js';
import type { Attributes } from '../model/series.js';
import { findProgram } from './find-program.js';

// BINPRM_BUF_SIZE and the depth of interpreters in fs/exec.c.
const firstLineBytes = 256;
const mostInterpreters = 5;

/**
 * Who the command is, in the words of all that publish something about processes. It has a process already, but one
 * that still waits to run the program: what the program decides is worked out from its file.
 */
export function readCommandIdentity(pid: number, program: string): Attributes {
  const stat = new ProcessStat();
  stat.read(`/proc/${pid}`);
  const owners = new Owners('/etc/passwd');
  const { attributes } = new IdentityReader({ procfs: '/proc', owners, hasCommandLine: false }).read(
    pid,
    stat,
  );
  const path = resolveExecutable(program);
  return {
    ...attributes,
    'process.executable.name': nameExecutable(path),
    'process.executable.path': path,
    // TASK_COMM_LEN.
    'process.thread.name': Buffer.from(basename(program)).subarray(0, 15).toString('utf8'),
  };
}

/** The file that the kernel will run: that of the interpreter, where the program is a script. */
function resolveExecutable(program: string): string {
  let path = program;
  for (let depth = 0; depth < mostInterpreters; depth++) {
    const interpreter = findInterpreter(path);
    if (interpreter === undefined) break;
    path = interpreter;
  }
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Of a script, its interpreter; of one that asks env(1) for it, as most do, what env will find. */
function findInterpreter(path: string): string | undefined {
  const [, interpreter, argument = ''] = /^#!\s*(\S+)[ \t]*(.*)/.exec(readFirstLine(path)) ?? [];
  if (interpreter === undefined || basename(interpreter) !== 'env') return interpreter;
  const name = argument
    .split(/\s+/)
    .find((word) => word !== '' && !word.startsWith('-') && !word.includes('='));
  return name === undefined ? interpreter : (tryFind(name) ?? interpreter);
}

function tryFind(name: string): string | undefined {
  try {
    return findProgram(name, process.env['PATH']);
  } catch {
    return undefined;
  }
}

function readFirstLine(path: string): string {
  const buffer = Buffer.alloc(firstLineBytes);
  try {
    const fd = openSync(path, 'r');
    try {
      return buffer.toString('utf8', 0, readSync(fd, buffer)).split('\n')[0];
    } finally {
      closeSync(fd);
    }
  } catch {
    // It may be executed but not read.
    return '';
  }
}
