import { koffi } from './koffi.js';
import { addressOf, libc } from './libc.js';

/** How a program is started, if different from this process. */
export interface SpawnPlan {
  /** A path, or a name to find in PATH. */
  readonly program: string | Uint8Array;
  /** Its arguments, including argv[0]. */
  readonly argv: readonly (string | Uint8Array)[];
  /** `NAME=value` each; undefined: that of this process. */
  readonly environment: readonly Uint8Array[] | undefined;
  /** Descriptors that the new process closes first. */
  readonly closed: readonly number[];
  /** Files that it then opens and closes again, one after the other, before it executes the program. */
  readonly passes: readonly string[];
  /** A descriptor number for opening these files, which the program does not get. */
  readonly spareFd: number;
  /** Signals to block, and signals to stop ignoring: bit n - 1 for signal n. */
  readonly blockedSignals: bigint;
  readonly defaultSignals: bigint;
}

type Address = number;

const initActions = libc.func('int posix_spawn_file_actions_init(uintptr_t actions)') as (
  actions: Address,
) => number;
const addOpen = libc.func(
  'int posix_spawn_file_actions_addopen(uintptr_t actions, int fd, const char *path, int flags, int mode)',
) as (...args: [actions: Address, fd: number, path: string, flags: number, mode: number]) => number;
const addClose = libc.func('int posix_spawn_file_actions_addclose(uintptr_t actions, int fd)') as (
  actions: Address,
  fd: number,
) => number;
const destroyActions = libc.func('int posix_spawn_file_actions_destroy(uintptr_t actions)') as (
  actions: Address,
) => number;
const initAttributes = libc.func('int posix_spawnattr_init(uintptr_t attributes)') as (
  attributes: Address,
) => number;
const setFlags = libc.func('int posix_spawnattr_setflags(uintptr_t attributes, short flags)') as (
  attributes: Address,
  flags: number,
) => number;
const setMask = libc.func('int posix_spawnattr_setsigmask(uintptr_t attributes, void *signals)') as (
  attributes: Address,
  signals: Uint8Array,
) => number;
const setDefault = libc.func('int posix_spawnattr_setsigdefault(uintptr_t attributes, void *signals)') as (
  attributes: Address,
  signals: Uint8Array,
) => number;

type Callback = (error: Error | null, errno: number) => void;
type SpawnArguments = [
  pid: Address,
  program: Address,
  actions: Address,
  attributes: Address,
  argv: Address,
  environment: Address,
];
const posixSpawnp = libc.func(
  'int posix_spawnp(uintptr_t pid, uintptr_t program, uintptr_t actions, uintptr_t attributes, uintptr_t argv, uintptr_t environment)',
) as unknown as { async(...args: [...SpawnArguments, Callback]): void };

const environ = libc.symbol('environ', 'uintptr_t');

// <spawn.h>, compatible in glibc and musl. Their structures have 80 and 336 bytes.
const setSigDefault = 4;
const setSigMask = 8;
const structureBytes = 1024;
const signalSetBytes = 128;
const pointerBytes = 8;

/**
 * Starts a program with posix_spawn(3), on another thread, which blocks until the program runs.
 * @returns 0, or the error number if it could not be executed
 */
export function spawnProgram(plan: SpawnPlan): Promise<number> {
  const [pid, actions, attributes] = [8, structureBytes, structureBytes].map((size) => new ArrayBuffer(size));
  const program = createString(plan.program);
  const argv = createVector(plan.argv);
  const environment = plan.environment && createVector(plan.environment);
  if (!pid || !actions || !attributes)
    throw new RangeError('Cannot start a process: expected memory, found none');
  fillActions(addressOf(actions), plan);
  fillAttributes(addressOf(attributes), plan);
  const ownEnvironment = Number(koffi.decode(environ, 'uintptr_t'));
  return new Promise((resolve, reject) => {
    posixSpawnp.async(
      addressOf(pid),
      addressOf(program),
      addressOf(actions),
      addressOf(attributes),
      addressOf(argv),
      environment ? addressOf(environment) : ownEnvironment,
      (error, errno) => {
        destroyActions(addressOf(actions));
        if (error) reject(error);
        // Keeps the memory that the call refers to alive until now.
        else resolve([pid, program, attributes, argv, environment].length > 0 ? errno : 0);
      },
    );
  });
}

function fillActions(actions: Address, { passes, spareFd, closed }: SpawnPlan): void {
  initActions(actions);
  for (const fd of closed) addClose(actions, fd);
  for (const path of passes) {
    addOpen(actions, spareFd, path, 0, 0);
    addClose(actions, spareFd);
  }
}

function fillAttributes(attributes: Address, { blockedSignals, defaultSignals }: SpawnPlan): void {
  initAttributes(attributes);
  setFlags(attributes, setSigDefault | setSigMask);
  setMask(attributes, createSignalSet(blockedSignals));
  setDefault(attributes, createSignalSet(defaultSignals));
}

function createSignalSet(signals: bigint): Uint8Array {
  const set = Buffer.alloc(signalSetBytes);
  set.writeBigUInt64LE(signals);
  return set;
}

/** A C string. */
function createString(text: string | Uint8Array): ArrayBuffer {
  const bytes = Buffer.from(text);
  const memory = new ArrayBuffer(bytes.length + 1);
  new Uint8Array(memory).set(bytes);
  return memory;
}

/** A null-terminated array of C strings, and the strings. */
function createVector(texts: readonly (string | Uint8Array)[]): ArrayBuffer {
  const strings = texts.map((text) => Buffer.concat([Buffer.from(text), Buffer.alloc(1)]));
  const tableBytes = (strings.length + 1) * pointerBytes;
  const memory = new ArrayBuffer(strings.reduce((sum, { length }) => sum + length, tableBytes));
  const address = BigInt(addressOf(memory));
  const [table, bytes] = [new BigUint64Array(memory, 0, strings.length), new Uint8Array(memory)];
  let at = tableBytes;
  for (const [index, string] of strings.entries()) {
    table[index] = address + BigInt(at);
    bytes.set(string, at);
    at += string.length;
  }
  return memory;
}
