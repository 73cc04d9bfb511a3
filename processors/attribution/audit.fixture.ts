import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SheetReader, type Confirmed } from '../../src/cli/audit/sheet-reader.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { playRandomMachine } from './random-machine.fixture.js';
import { Rig } from './rig.fixture.js';

interface Played {
  readonly seed: number;
  readonly settings?: object;
  readonly scans?: number;
  readonly hasHost?: boolean;
}

/** Plays a random machine and returns the path of the audit file. */
export async function play({ seed, settings, scans = 150, hasHost = false }: Played): Promise<string> {
  const path = join(createFolder(), 'audit.jsonl');
  const rig = new Rig({ audit: { path }, floor: [{ hw_type: 'cpu', power: 4.3 }], ...settings });
  playRandomMachine(rig, { seed, scans, scanS: 1, hasFaults: seed % 2 === 0, hasHost });
  await rig.processor.shutdown();
  return path;
}

/** The lines of a file. */
export function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

/** Recomputes every figure of an audit file. */
export function confirm(lines: readonly string[]): Confirmed {
  const reader = new SheetReader();
  for (const line of lines) reader.read(line);
  return reader.confirmed;
}
