import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { findOriginalOpenFilesLimit } from './privileges.js';

/** What this process was started with and its child programs should inherit, although Node has changed it. */
export interface Inherited {
  /** Open descriptors, including the standard ones. */
  readonly descriptors: readonly number[];
  /** Standard streams that were closed: Node has opened /dev/null instead. */
  readonly closed: readonly number[];
  /** Status flags (open(2)) of the open standard streams, which Node sets to non-blocking. */
  readonly statusFlags: ReadonlyMap<number, number>;
  /** Ignored and blocked signals: bit n - 1 for signal n, as in proc_pid_status(5). */
  readonly ignoredSignals: bigint;
  readonly blockedSignals: bigint;
  /** Soft limit of open files; undefined if Node has not changed it, or nothing is known. */
  readonly openFilesLimit: number | undefined;
  /** `NAME=value` each; undefined: that of this process. */
  readonly environment: readonly Buffer[] | undefined;
}

/** What bin/joulemetry records before Node changes it. */
interface Note {
  readonly descriptors: readonly number[];
  readonly ignoredSignals: bigint;
  readonly blockedSignals: bigint;
  readonly openFilesLimit: number | undefined;
}

const standard = [0, 1, 2] as const;
/** Bit n - 1 for signal n. */
const [sigHup, sigChld] = [1n << 0n, 1n << 16n];
const readWrite = 0o2;
const accessMode = 0o3;
/** Node's own types of descriptors without a path, besides pipes. */
const nodesOwn = /^anon_inode:\[(?:eventpoll|eventfd|io_uring)\]$/;
const shells = /^(?:sh|bash|dash|ash|zsh|ksh|mksh|busybox|fish)$/;

let noted: Inherited | undefined;

/**
 * Determines what this process was started with. The first call must precede opening anything and using
 * `process.stdout` or similar streams.
 */
export function noteInherited(): Inherited {
  noted ??= look();
  return noted;
}

function look(): Inherited {
  const note = takeNote();
  const environment = takeEnvironment(note);
  const { descriptors, closed } = note ? describeNoted(note) : guessDescriptors();
  const open = descriptors.filter((fd) => !closed.includes(fd));
  return {
    descriptors: open,
    closed,
    statusFlags: new Map(
      standard.filter((fd) => open.includes(fd)).flatMap((fd) => pair(fd, readFlags('self', fd))),
    ),
    ignoredSignals: guessIgnored(note?.ignoredSignals),
    blockedSignals: note?.blockedSignals ?? 0n,
    openFilesLimit: note ? note.openFilesLimit : findOriginalOpenFilesLimit(),
    environment,
  };
}

/** A process that inherits the note of another one ignores it. */
function takeNote(): Note | undefined {
  const text = process.env['JOULEMETRY_STARTED'] ?? '';
  delete process.env['JOULEMETRY_STARTED'];
  const [, pid, blocked = '', ignored = '', limit, fds = ''] =
    /^(\d+) ([0-9a-f]+) ([0-9a-f]+) (\d+|unlimited) ([\d,]*)$/.exec(text) ?? [];
  if (Number(pid) !== process.pid) return undefined;
  return {
    descriptors: fds.split(',').filter(Boolean).map(Number),
    ignoredSignals: BigInt(`0x${ignored}`),
    blockedSignals: BigInt(`0x${blocked}`),
    openFilesLimit: limit === 'unlimited' ? undefined : Number(limit),
  };
}

function takeEnvironment(note: Note | undefined): readonly Buffer[] | undefined {
  const text = process.env['JOULEMETRY_ENVIRONMENT'] ?? '';
  delete process.env['JOULEMETRY_ENVIRONMENT'];
  return note === undefined || text === '' ? undefined : splitAtNul(Buffer.from(text, 'base64'));
}

interface Descriptors {
  readonly descriptors: readonly number[];
  readonly closed: readonly number[];
}

function describeNoted({ descriptors }: Note): Descriptors {
  return { descriptors, closed: standard.filter((fd) => !descriptors.includes(fd)) };
}

function guessDescriptors(): Descriptors {
  const descriptors = listInherited();
  return { descriptors, closed: descriptors.length > 0 ? findClosed() : [] };
}

function pair(fd: number, flags: number | undefined): readonly (readonly [number, number])[] {
  return flags === undefined ? [] : [[fd, flags]];
}

/** Excludes those that Node has opened by now: event queues, and pipes with both ends here and none in the parent. */
function listInherited(): readonly number[] {
  const own = listTargets('self');
  const parents = new Set(listTargets(process.ppid).values());
  const ends = [...own.values()];
  const isOwnPipe = (target: string) =>
    target.startsWith('pipe:') && !parents.has(target) && ends.filter((end) => end === target).length > 1;
  return [...own]
    .filter(([fd, target]) => fd < standard.length || !(nodesOwn.test(target) || isOwnPipe(target)))
    .map(([fd]) => fd);
}

function listTargets(pid: number | 'self'): ReadonlyMap<number, string> {
  return new Map(listNames(`/proc/${pid}/fd`).flatMap((fd) => targetOf(pid, fd)));
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The listed folder is closed by now. */
function targetOf(pid: number | 'self', fd: string): readonly (readonly [number, string])[] {
  try {
    return [[Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)]];
  } catch {
    return [];
  }
}

/**
 * Node opens /dev/null for reading and writing in place of a closed standard stream. Some programs do so for
 * their children; a shell does so only on request, so below a shell it was Node.
 */
function findClosed(): readonly number[] {
  if (!shells.test(readText(`/proc/${process.ppid}/comm`).trim())) return [];
  const parents = listTargets(process.ppid);
  return standard.filter((fd) => isReadWriteNull('self', fd) && parents.get(fd) !== '/dev/null');
}

function isReadWriteNull(pid: number | 'self', fd: number): boolean {
  const isNull = targetOf(pid, `${fd}`).some(([, target]) => target === '/dev/null');
  return isNull && ((readFlags(pid, fd) ?? 0) & accessMode) === readWrite;
}

function readFlags(pid: number | 'self', fd: number): number | undefined {
  const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/${pid}/fdinfo/${fd}`)) ?? [];
  return flags === undefined ? undefined : Number.parseInt(flags, 8);
}

/**
 * Node resets the signals that were ignored, and shells other than bash reset SIGCHLD before it can be
 * recorded. Two hints remain: nohup(1), by the program name that bash and zsh leave in the environment, and
 * what the parent ignores, which its children normally ignore, too.
 * @param byLauncher recorded by bin/joulemetry
 */
function guessIgnored(byLauncher: bigint | undefined): bigint {
  const [, ignored = '0'] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readText(`/proc/${process.ppid}/status`)) ?? [];
  const byParent = BigInt(`0x${ignored}`);
  if (byLauncher !== undefined) return byLauncher | (byParent & sigChld);
  const byNohup = /(?:^|\/)nohup$/.test(process.env['_'] ?? '') ? sigHup : 0n;
  return byNohup | (byParent & (sigHup | sigChld));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Splits byte strings that each end with a NUL, as in procfs. */
export function splitAtNul(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from);
    parts.push(bytes.subarray(from, end < 0 ? bytes.length : end));
    from = end < 0 ? bytes.length : end + 1;
  }
  return parts;
}

/** Whether a set of signals, bit n - 1 for signal n, contains one. */
export function hasSignal(signals: bigint, number: number): boolean {
  return ((signals >> BigInt(number - 1)) & 1n) === 1n;
}
