import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { escapeControls } from '../component/escape-controls.js';
import { splitAtNul } from '../linux/inherited.js';

/** The command cannot be run; shells exit with 127 where there is none and 126 where it may not be executed. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly exitCode: 126 | 127;

  constructor(message: string, exitCode: 126 | 127) {
    super(escapeControls(message));
    this.exitCode = exitCode;
  }
}

/** Why the kernel did not execute a program that is there. */
export function describeExecError(name: string, { code }: { readonly code: string }): ProgramError {
  const reason = execReasons[code];
  const message = `Cannot run "${name}": ${code}${reason === undefined ? '' : `, ${reason}`}`;
  return new ProgramError(message, code === 'ENOENT' ? 127 : 126);
}

const execReasons: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'the interpreter that it names is not there',
  E2BIG: 'its arguments and the environment are too long together',
  EACCES: 'it may not be executed here, or its interpreter may not',
  ETXTBSY: 'a program has it open for writing',
};

type Finding = 'executable' | 'not executable' | 'a folder' | 'out of reach' | 'absent';

/** Where execvp(3) looks when PATH is not set. */
const standardPath = '/usr/local/bin:/usr/bin:/bin';

/**
 * Looks for a program as shells do: a name with a slash is a path, any other is looked for in PATH.
 * @returns its path
 * @throws ProgramError
 */
export function findProgram(name: string, path: string = standardPath): string {
  const candidates = name.includes('/') ? [name] : path.split(':').map((folder) => join(folder || '.', name));
  const findings = candidates.map((candidate) => ({ candidate, finding: lookAt(candidate) }));
  const found = findings.find(({ finding }) => finding === 'executable');
  if (found && name !== '') return found.candidate;
  const refused = findings.find(({ finding }) => isRefusal(finding, name));
  if (refused && name !== '') throw new ProgramError(describeRefusal(name, refused), 126);
  throw new ProgramError(describeAbsence(name), 127);
}

/** As in bash, folders of PATH that may not be searched do not count. */
function isRefusal(finding: Finding, name: string): boolean {
  return (
    finding === 'not executable' ||
    finding === 'a folder' ||
    (finding === 'out of reach' && name.includes('/'))
  );
}

function lookAt(path: string): Finding {
  try {
    if (statSync(path).isDirectory()) return 'a folder';
  } catch (error) {
    return isAbsence(error) ? 'absent' : 'out of reach';
  }
  try {
    accessSync(path, constants.X_OK);
    return 'executable';
  } catch {
    return 'not executable';
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function describeRefusal(
  name: string,
  { candidate, finding }: { candidate: string; finding: Finding },
): string {
  if (finding === 'a folder') return `Cannot run "${name}": ${candidate} is a folder, wanted a program`;
  if (finding === 'out of reach') return `Cannot run "${name}": a folder on the way to it cannot be searched`;
  return `Cannot run "${name}": ${candidate} is not executable, see chmod +x`;
}

function describeAbsence(name: string): string {
  if (name.includes('/')) return `Cannot run "${name}": no such file`;
  const isHere = name !== '' && lookAt(join('.', name)) !== 'absent';
  return `Cannot run "${name}": not found in PATH${isHere ? `, did you mean "./${name}"?` : ''}`;
}

/**
 * The last arguments of this process as the bytes that they are: Node replaces those that are no UTF-8, and a file
 * of such a name would not be found.
 * @param args the same, as Node has them
 */
export function findRawArguments(args: readonly string[]): readonly (string | Uint8Array)[] {
  if (args.length === 0) return args;
  const raw = splitAtNul(readCommandLine()).slice(-args.length);
  const isSame = raw.length === args.length && raw.every((bytes, i) => bytes.toString() === args[i]);
  return isSame ? raw : args;
}

function readCommandLine(): Buffer {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return Buffer.alloc(0);
  }
}
