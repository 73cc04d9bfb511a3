// Installs what is missing, compiles into an empty dist/ and writes config/schema.json, when something is newer than
// the last build.
// Plain JavaScript without dependencies: it runs before anything is installed.
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaveUnlessDone, runCommand } from './run-command.mjs';

const sources = [
  'src',
  'receivers',
  'processors',
  'exporters',
  'extensions',
  'test',
  'bench',
  'docs/examples',
  'tsconfig.json',
];
const installStamp = 'node_modules/.package-lock.json';
const buildStamp = 'dist/.built';
const configSchema = 'config/schema.json';

function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return path.endsWith('.ts') || path.endsWith('.json') ? (stat?.mtimeMs ?? 0) : 0;
  // The directory's own time counts too: it changes when a file is removed.
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestMs(join(path, name))),
    stat.mtimeMs,
  );
}

async function run(command, args) {
  leaveUnlessDone(await runCommand(command, args, { stdio: ['ignore', 2, 2] }));
}

async function writeConfigSchema() {
  await run(process.execPath, ['dist/test/write-config-schema.js']);
}

process.chdir(import.meta.dirname ?? new URL('.', import.meta.url).pathname);
if (modifiedMs(installStamp) < modifiedMs('package-lock.json')) {
  console.error('Installing dependencies (npm ci) ...');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
const forced = process.argv.includes('--force');
const builtMs = modifiedMs(buildStamp);
if (forced || builtMs < Math.max(modifiedMs(installStamp), ...sources.map(newestMs))) {
  if (existsSync('dist')) rmSync('dist', { recursive: true });
  console.error('Building (tsc) ...');
  await run(process.execPath, ['node_modules/typescript/bin/tsc']);
  await writeConfigSchema();
  writeFileSync(buildStamp, '');
} else if (!existsSync(configSchema)) await writeConfigSchema();
