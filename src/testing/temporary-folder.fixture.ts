import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The test file: what it leaves behind has its name. */
const owner = basename(process.argv[1] ?? 'test', '.test.js');

const folders = new Set<string>();

process.once('exit', () => {
  // Something that is just being killed may write into it once more.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };
  for (const folder of folders) rmSync(folder, options);
});

// A test that takes too long is ended so.
process.once('SIGTERM', () => process.exit(143));

/** A new folder for the files of tests. It is removed when this process ends, however its tests did. */
export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `joulemetry-${owner}-`));
  folders.add(folder);
  return folder;
}
