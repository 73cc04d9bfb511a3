import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SheetReader, type Confirmed } from '../../src/cli/audit/sheet-reader.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { playRandomHistory } from './random-history.fixture.js';
import { playRandomMachine } from './random-machine.fixture.js';
import { RigGpu, RigInstance } from './rig-gpu.fixture.js';
import { Rig, RigProcess } from './rig.fixture.js';
import { UnreliableRig } from './unreliable-rig.fixture.js';

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

/** Plays a random history of a machine with two packages and returns the lines of the audit file. */
export async function playHistory(
  seed: number,
  seconds: number,
  settings: object,
): Promise<readonly string[]> {
  const path = join(createFolder(), 'audit.jsonl');
  const rig = new UnreliableRig(seed, {
    audit: { path },
    floor: [{ hw_type: 'cpu', power: 5 }],
    ...settings,
  });
  playRandomHistory(rig, seed, seconds);
  await rig.processor.shutdown();
  return linesOf(path);
}

/** Plays a GPU of 70 W with two instances and returns the lines of the audit file. */
export async function playInstances(seconds: number): Promise<readonly string[]> {
  const path = join(createFolder(), 'audit.jsonl');
  const rig = new Rig({ audit: { path }, floor: [{ hw_type: 'gpu', power: 20 }] });
  const gpu = new RigGpu(rig, 'GPU-1');
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  const instances = ['MIG-1', 'MIG-2'].map((id) => new RigInstance(rig, id, 'GPU-1'));
  for (let atS = 0; atS <= seconds; atS++) {
    for (const [i, instance] of instances.entries()) instance.scan(atS, process, (i + 1) * 0.1 * atS);
    gpu.scan(atS, [], 0.3 * atS, 70 * atS);
  }
  await rig.processor.shutdown();
  return linesOf(path);
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
