// Runs every compiled test file, each named explicitly: folders and globs work only on some Node versions.
// Arguments restrict the run to files whose path contains one of them.
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveUnlessDone, runCommand } from '../run-command.mjs';

/** Folders of `src/testing/temporary-folder.fixture.ts` contain the test file's name in theirs. */
const maxNames = 20;

/** Their tests need real peers, which npm run test:interop and npm run test:faults prepare. */
const withPeers = [join('test', 'interop'), join('test', 'faults')];

const wanted = process.argv.slice(2);
const files = readdirSync('dist', { recursive: true })
  .filter((file) => file.endsWith('.test.js') && !withPeers.some((folder) => file.startsWith(folder)))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .map((file) => join('dist', file))
  .toSorted();
if (files.length === 0) {
  console.error(
    `Cannot find a test file in dist/ whose path contains ${wanted.map((part) => `"${part}"`).join(' or ')}`,
  );
  process.exit(1);
}
// A file that takes this long waits for something that never happens.
const timeout = `--test-timeout=${20 * 60_000}`;
// A separate temporary folder shows files that tests leave behind. Some tests write there as another user.
const folder = mkdtempSync(join(tmpdir(), 'joulemetry-tests-'));
chmodSync(folder, 0o1777);
// It repeats the failures at the end, where they are easy to find.
const reporter = '--test-reporter=spec';
const result = await runCommand(process.execPath, ['--test', timeout, reporter, ...files], {
  stdio: 'inherit',
  // Node, npm and the compiler would keep their caches in the temporary folder, and the program in the user's.
  env: { ...process.env, TMPDIR: folder, NODE_DISABLE_COMPILE_CACHE: '1' },
});
const left = readdirSync(folder, { recursive: true }).toSorted();
rmSync(folder, { recursive: true, force: true });
if (left.length > 0) {
  const names = left.slice(0, maxNames).join(', ');
  console.error(
    `Cannot pass: expected the tests to leave nothing in the temporary folder, found ${left.length}: ${names}`,
  );
}
leaveUnlessDone(result);
if (left.length > 0) process.exit(1);
