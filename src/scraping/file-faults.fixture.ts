import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Schema } from '../component/schema.js';
import { checkFault, type Fault, type FaultyMachine } from './reader-faults.fixture.js';

/** The faults of a file, and the cause that is logged for each. */
export type FileFaultName = 'truncated' | 'empty' | 'garbage' | 'vanishing' | 'no permission';

/** Reading it fails with EACCES for every user, including root. */
export const unreadableFile = '/sys/bus/cpu/uevent';

/** Why the fault "no permission" is not available here, for the option `skip`. */
export const noUnreadableFile = existsSync(unreadableFile) ? false : `${unreadableFile} is not here`;

/** The faults of a file of a simulated machine, each written in place, as the kernel does. */
export function createFileFaults(path: string): Readonly<Record<FileFaultName, Fault>> {
  let healthy = readFileSync(path);
  const begin = (work: () => void) => () => {
    healthy = readFileSync(path);
    work();
  };
  const end = (): void => {
    rmSync(path, { force: true });
    writeFileSync(path, healthy);
  };
  const closeFiles = begin(() => writeFileSync(path, ''));
  const write = (text: () => Buffer | string): Fault => ({
    begin: begin(() => writeFileSync(path, text())),
    end: () => writeFileSync(path, healthy),
    problem: /expected .*found/u,
  });
  return {
    truncated: write(() => healthy.subarray(0, Math.floor(healthy.length / 2))),
    empty: write(() => ''),
    garbage: write(() => Buffer.from('\0\x80N/A \xff;-\n', 'latin1')),
    vanishing: { begin: begin(() => unlinkSync(path)), end, closeFiles, problem: /ENOENT/u },
    'no permission': {
      begin: begin(() => {
        unlinkSync(path);
        symlinkSync(unreadableFile, path);
      }),
      end,
      closeFiles,
      problem: /EACCES/u,
    },
  };
}

/** A file that is read on another thread, and blocks during the fault. */
export function createSlowFile(path: string): Fault {
  const healthy = readFileSync(path);
  return {
    begin() {
      rmSync(path);
      // Opening it blocks until there is a writer.
      execFileSync('mkfifo', [path]);
    },
    async end() {
      while (letGo(path)) await setImmediate();
      rmSync(path);
      writeFileSync(path, healthy);
      // After as many steps of the pool as its reader takes, the blocked read is done.
      for (let i = 0; i < 5; i++) await readFile(path);
    },
    problem: /answer within \d+ ms/u,
  };
}

/** Unblocks the reader of a FIFO. @returns whether there is one */
function letGo(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return lstatSync(path).isFIFO();
  } catch {
    // ENXIO: no process has it open.
    return false;
  }
}

/** A machine, and its damaged file. */
export interface DamagedFile<S extends Schema> extends FaultyMachine<S> {
  readonly path: string;
  /** Differences of a fault for this reader. */
  readonly changes?: Partial<Readonly<Record<FileFaultName, Partial<Fault>>>>;
}

const fileFaultNames = ['truncated', 'empty', 'garbage', 'vanishing', 'no permission'] as const;

/**
 * Tests a reader with each fault of a file.
 * @param what for the test titles: `thermal zones`
 * @param names the faults that the reader can meet
 */
export function testFileFaults<S extends Schema>(
  what: string,
  open: (t: TestContext) => DamagedFile<S>,
  names: readonly FileFaultName[] = fileFaultNames,
): void {
  for (const name of names) {
    const skip = name === 'no permission' && noUnreadableFile;
    test(`${what} withstand a file with the fault "${name}"`, { skip }, async (t) => {
      const { path, changes, ...machine } = open(t);
      await checkFault(t, machine, { ...createFileFaults(path)[name], ...changes?.[name] });
    });
  }
}
