import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The test file, which names leftover folders. */
const owner = basename(process.argv[1] ?? 'test', '.test.js');

const folders = new Set<string>();

process.once('exit', () => {
  // A process that is just being killed may write into it again.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };
  for (const folder of folders) rmSync(folder, options);
});

// A test that exceeds its time limit is ended by this signal.
process.once('SIGTERM', () => process.exit(143));

/** A new folder for test files. It is removed when this process ends for any reason. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `joulemetry-${owner}-`));
  folders.add(folder);
  return folder;
}
