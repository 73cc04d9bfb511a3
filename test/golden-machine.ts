import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFakeSampler } from '../src/component/fakes.js';
import type { OpenSampler, Sampling } from '../src/component/sampling.js';
import type { Clock } from '../src/linux/clock.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';

const testdata = fileURLToPath(new URL('../../test/testdata/machine/', import.meta.url));

/** Path of the golden file, next to the machine that it describes. */
export const goldenPath = join(testdata, 'golden.txt');

/** Time of the first reading of the machine. */
export const beginNs = BigInt(Date.parse('2026-01-01T12:00:00Z')) * 1_000_000n;
const upNs = 10_000_000_000_000n;

/** A machine of files that changes only once a second. */
export interface GoldenMachine {
  readonly root: string;
  readonly clock: Clock;
  /**
   * Advances by a second: writes the files of the next second over the present ones, and removes those that no
   * longer exist.
   */
  advance(): void;
}

/** Creates the machine in its first second. */
export function openGoldenMachine(): GoldenMachine {
  const root = createFolder();
  let second = 0;
  const nowNs = () => BigInt(second) * 1_000_000_000n;
  layOut(second, root);
  // The files belong to the user who checked them out.
  writeFileSync(join(root, 'passwd'), `operator:x:${process.getuid?.() ?? 0}:0::/:/bin/sh\n`);
  return {
    root,
    clock: {
      wallNs: () => beginNs + nowNs(),
      monotonicNs: nowNs,
      bootNs: () => upNs + nowNs(),
      countBreaks: () => 0,
    },
    advance: () => layOut(++second, root),
  };
}

/** Overwrites existing files in place, since some are kept open. */
function layOut(second: number, root: string): void {
  const step = join(testdata, String(second));
  for (const entry of readdirSync(step, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    const to = join(root, relative(step, from));
    mkdirSync(dirname(to), { recursive: true });
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else if (entry.isFile()) writeFileSync(to, readFileSync(from));
  }
  const gone = join(root, 'gone');
  if (!existsSync(gone)) return;
  for (const path of readFileSync(gone, 'utf8').trim().split('\n'))
    rmSync(join(root, path), { recursive: true });
  rmSync(gone);
}

/** Reads samplers at the machine's own time: when they begin, when they are flushed and when they end. */
export function createStillSampling(clock: Clock): Sampling {
  return {
    async start({ module, options, describe, next }) {
      const { openSampler } = (await import(module.href)) as { openSampler: OpenSampler };
      const sampler = openSampler(options);
      let series = describe(sampler.columns, clock.wallNs());
      const read = () => {
        const values = new Float64Array(sampler.width);
        sampler.read(values, 0);
        next.consume({ series, epoch: clock.wallNs(), offsets: new Float64Array(1), values });
        return Promise.resolve();
      };
      await read();
      let ending: Promise<void> | undefined;
      const update = (changed: unknown) => {
        sampler.update?.(changed);
        series = describe(sampler.columns, clock.wallNs());
        return read();
      };
      const stop = () => (ending ??= read().then(() => sampler.close()));
      return createFakeSampler({ flush: read, update, stop });
    },
    shutdown: () => Promise.resolve(),
  };
}
