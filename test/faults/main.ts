// npm run test:faults: runs the faults of docs/delivery.md with real peers and prints what each one lost.
// Arguments restrict the run to files whose name contains one of them; --publish replaces the figures of the page.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaceFigures } from '../../bench/published-figures.js';
import { runWithPeers } from '../interop/run-with-peers.js';
import { cellsVariable, renderCells } from './cells.js';

const page = fileURLToPath(new URL('../../../docs/delivery.md', import.meta.url));
const prettier = fileURLToPath(new URL('../../../node_modules/prettier/bin/prettier.cjs', import.meta.url));

function publish(table: string): void {
  const date = new Date().toISOString().slice(0, 10);
  const machine = `Node ${process.versions.node}, Linux ${release()}, ${availableParallelism()} CPUs`;
  const text = replaceFigures(readFileSync(page, 'utf8'), 'faults', `${date}: ${machine}\n\n${table}`);
  writeFileSync(page, text);
  execFileSync(process.execPath, [prettier, '--write', '--log-level', 'warn', page]);
}

const args = process.argv.slice(2);
const parts = args.filter((arg) => arg !== '--publish');
const temporary = mkdtempSync(join(tmpdir(), 'joulemetry-faults-'));
try {
  const cells = join(temporary, 'cells.jsonl');
  writeFileSync(cells, '');
  const folder = fileURLToPath(new URL('.', import.meta.url));
  process.exitCode = await runWithPeers(folder, parts, { [cellsVariable]: cells });
  const table = renderCells(cells);
  process.stdout.write(`\n${table}\n`);
  if (process.exitCode === 0 && args.includes('--publish')) publish(table);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
