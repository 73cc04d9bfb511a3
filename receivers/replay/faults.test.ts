import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { noUnreadableFile, unreadableFile } from '../../src/scraping/file-faults.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { describeTables, gaugeLine, replay, threeLines, threeTables, writeFile } from './replay.fixture.js';

/** A damaged file between two whole ones. */
interface FileFault {
  /** Damages the file, which has the contents of `threeLines`. */
  damage(path: string): void;
  /** The tables of the damaged file that are replayed. */
  readonly left: readonly string[];
  /** The cause, which is logged once. */
  readonly problem: RegExp;
  /** The counter of what is lost. */
  readonly reason: 'malformed' | 'unreadable';
  readonly skip?: string | false;
}

const unreadable = { left: [], reason: 'unreadable' } as const;

const faults: Readonly<Record<string, FileFault>> = {
  truncated: {
    ...unreadable,
    damage: (path) => writeFileSync(path, 'PAR1 and no end'),
    problem: /Cannot read .*: expected /u,
  },
  garbage: {
    left: ['x@1=0.1', 'x@3=0.3'],
    reason: 'malformed',
    damage: (path) => writeFileSync(path, `${gaugeLine(1, 0.1)}\0\x80N/A\xff\n${gaugeLine(3, 0.3)}`),
    problem: /Skipped .*:2: .*JSON/u,
  },
  vanishing: { ...unreadable, damage: (path) => rmSync(path), problem: /Cannot read .*: ENOENT/u },
  'no permission': {
    ...unreadable,
    skip: noUnreadableFile,
    damage(path) {
      rmSync(path);
      symlinkSync(unreadableFile, path);
    },
    problem: /Cannot read .*: EACCES/u,
  },
};

for (const [name, { damage, left, problem, reason, skip = false }] of Object.entries(faults)) {
  test(
    `replay withstands a file with the fault "${name}", counts and logs it once, and replays the others`,
    { skip },
    async () => {
      const path = join(createFolder(), 'b.json');
      writeFileSync(path, threeLines);
      const files = [writeFile('a.json', threeLines), path, writeFile('c.json', threeLines)];
      const meter = createMeterReader();
      // Its files are found at the start, and read later.
      const othersStarted = Promise.resolve().then(() => damage(path));
      const { tables, log } = await replay({ files }, { context: { meter: meter.meter, othersStarted } });
      assert.deepEqual(describeTables(tables), [...threeTables, ...left, ...threeTables]);
      const logged = log.filter((line) => problem.test(line));
      assert.equal(logged.length, 1, log.join('\n'));
      const counts = await meter.read();
      const skipped = Object.entries(counts).filter(([key]) => key.startsWith('joulemetry.replay.skipped'));
      assert.deepEqual(skipped, [[`joulemetry.replay.skipped{test,${reason}}`, 1]]);
    },
  );
}

test('replay takes an empty file for a recording without points, and replays the others', async () => {
  const files = [threeLines, '', threeLines].map((text, i) => writeFile(`${i}.json`, text));
  const { tables, log, problem } = await replay({ files });
  assert.deepEqual(describeTables(tables), [...threeTables, ...threeTables]);
  assert.deepEqual([log, problem], [['info: Replayed 6 points of 3 files'], undefined]);
});
