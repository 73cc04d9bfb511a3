import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
let folder: string | undefined;

/**
 * The published package without its dependencies: bundled on first use, and removed when this process exits.
 * @returns its folder, which is in the repository, so that its modules find their dependencies
 */
export function findPublishedPackage(): string {
  return (folder ??= createPackage(join(repository, `.build-bench-${process.pid}`)));
}

function createPackage(path: string): string {
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  const args = [join(repository, 'bundle.mjs'), join(path, 'dist')];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  for (const name of ['bin', 'config', 'package.json'])
    cpSync(join(repository, name), join(path, name), { recursive: true });
  return path;
}
