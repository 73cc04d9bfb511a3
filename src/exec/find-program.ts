import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { escapeControls } from '../component/output.js';
import { findErrorCode } from '../errors.js';
import { noteInherited, splitAtNul } from '../linux/inherited.js';

/** The command cannot be run; shells exit with 127 if it does not exist and 126 if it is not executable. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly exitCode: 126 | 127;

  constructor(message: string, exitCode: 126 | 127) {
    super(escapeControls(message));
    this.exitCode = exitCode;
  }
}

/** Describes why the kernel did not execute an existing program. */
export function describeExecError(name: Buffer, { code }: { readonly code: string }): ProgramError {
  const reason = execReasons[code];
  const message = `Cannot run "${name.toString()}": ${code}${reason === undefined ? '' : `, ${reason}`}`;
  return new ProgramError(message, code === 'ENOENT' ? 127 : 126);
}

const execReasons: Readonly<Partial<Record<string, string>>> = {
  ENOENT: 'the interpreter that it names does not exist',
  E2BIG: 'its arguments and the environment together are too long',
  EACCES: 'executing it is not permitted here, or not its interpreter',
  ETXTBSY: 'another program has it open for writing',
};

type Finding = 'executable' | 'not executable' | 'a folder' | 'out of reach' | 'absent';

/** Where execvp(3) searches if PATH is not set. */
const standardPath = Buffer.from('/usr/local/bin:/usr/bin:/bin');
const [slash, colon] = [0x2f, 0x3a];

/**
 * Finds a program like a shell: a name with a slash is a path, any other name is searched in PATH. Names and
 * paths are bytes, which need not be UTF-8.
 * @returns its path
 * @throws ProgramError
 */
export function findProgram(name: Buffer, path: Buffer = standardPath): Buffer {
  const candidates = name.includes(slash) ? [name] : splitAt(colon, path).map((folder) => join(folder, name));
  const findings = candidates.map((candidate) => ({ candidate, finding: lookAt(candidate) }));
  const found = findings.find(({ finding }) => finding === 'executable');
  if (found && name.length > 0) return found.candidate;
  const refused = findings.find(({ finding }) => isRefusal(finding, name));
  if (refused && name.length > 0) throw new ProgramError(describeRefusal(name, refused), 126);
  throw new ProgramError(describeAbsence(name), 127);
}

/** An empty folder in PATH is the current one. */
function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder.length > 0 ? folder : Buffer.from('.'), Buffer.of(slash), name]);
}

function splitAt(separator: number, bytes: Buffer): readonly Buffer[] {
  const end = bytes.indexOf(separator);
  return end < 0 ? [bytes] : [bytes.subarray(0, end), ...splitAt(separator, bytes.subarray(end + 1))];
}

/** As in bash, folders of PATH without search permission are ignored. */
function isRefusal(finding: Finding, name: Buffer): boolean {
  return (
    finding === 'not executable' ||
    finding === 'a folder' ||
    (finding === 'out of reach' && name.includes(slash))
  );
}

function lookAt(path: Buffer): Finding {
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
  const code = findErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

interface Refused {
  readonly candidate: Buffer;
  readonly finding: Finding;
}

function describeRefusal(name: Buffer, { candidate, finding }: Refused): string {
  const start = `Cannot run "${name.toString()}"`;
  if (finding === 'a folder')
    return `${start}: expected a program, found a folder at ${candidate.toString()}`;
  if (finding === 'out of reach')
    return `${start}: expected a path that can be searched, found a folder without that permission`;
  return `${start}: expected an executable file, found ${candidate.toString()}; see chmod +x`;
}

function describeAbsence(name: Buffer): string {
  const text = name.toString();
  if (name.includes(slash)) return `Cannot run "${text}": expected a program, found no such file`;
  const isHere = name.length > 0 && lookAt(join(Buffer.from('.'), name)) !== 'absent';
  return `Cannot run "${text}": expected a program in PATH, found none${isHere ? `, did you mean "./${text}"?` : ''}`;
}

/**
 * The last arguments of this process as bytes: Node replaces invalid UTF-8, and a file with such a name would
 * not be found.
 * @param args the same, as Node decodes them
 */
export function findRawArguments(args: readonly string[]): readonly Buffer[] {
  const raw = args.length === 0 ? [] : readStrings('/proc/self/cmdline').slice(-args.length);
  const isSame = raw.length === args.length && raw.every((bytes, i) => bytes.toString() === args[i]);
  return isSame ? raw : args.map((text) => Buffer.from(text));
}

/** PATH as bytes; undefined if it is not set. */
export function findRawPath(): Buffer | undefined {
  const text = process.env['PATH'];
  if (text === undefined) return undefined;
  const environment = noteInherited().environment ?? readStrings('/proc/self/environ');
  const start = 'PATH=';
  const raw = environment.find((one) => one.toString('latin1').startsWith(start))?.subarray(start.length);
  // The initial environment does not contain what this program sets itself.
  return raw?.toString() === text ? raw : Buffer.from(text);
}

function readStrings(path: string): readonly Buffer[] {
  try {
    return splitAtNul(readFileSync(path));
  } catch {
    return [];
  }
}
