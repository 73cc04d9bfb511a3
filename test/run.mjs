// Runs every compiled test file, named one by one: folders and globs work on some Node versions only.
// Arguments restrict the run to files whose path contains one of them.
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveUnlessDone, runCommand } from '../run-command.mjs';

/** The folders of `src/testing/temporary-folder.fixture.ts` have the test file's name in theirs. */
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
// A file that takes so long waits for what never comes.
const timeout = `--test-timeout=${20 * 60_000}`;
// A temporary folder of their own shows what they leave behind. Some tests write there as another user.
const folder = mkdtempSync(join(tmpdir(), 'joulemetry-tests-'));
chmodSync(folder, 0o1777);
// It repeats the failures at the end, where they are found.
const reporter = '--test-reporter=spec';
const result = await runCommand(process.execPath, ['--test', timeout, reporter, ...files], {
  stdio: 'inherit',
  // Node, npm and the compiler would keep what they compile in the temporary folder, and the program in the user's.
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
