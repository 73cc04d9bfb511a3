// npm run test:faults: runs the faults of docs/delivery.md with real peers and prints the lost points of each.
// Arguments restrict the run to files whose name contains one of them; --publish replaces the figures of the
// page.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishFigures } from '../../bench/published-figures.js';
import { describeMachine } from '../../bench/report.js';
import { runWithPeers } from '../interop/run-with-peers.js';
import { cellsVariable, outageMs, renderCells } from './cells.js';

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
  if (process.exitCode === 0 && args.includes('--publish'))
    publishFigures('faults', table, `${describeMachine()}; outages of ${outageMs / 1000} s`);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
