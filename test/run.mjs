// Runs every compiled test file, named one by one: folders and globs work on some Node versions only.
// Arguments restrict the run to files whose path contains one of them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const wanted = process.argv.slice(2);
const files = readdirSync('dist', { recursive: true })
  // Those that talk to real peers need them prepared: npm run test:interop.
  .filter((file) => file.endsWith('.test.js') && !file.startsWith(join('test', 'interop')))
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
const { status } = spawnSync(process.execPath, ['--test', timeout, ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
