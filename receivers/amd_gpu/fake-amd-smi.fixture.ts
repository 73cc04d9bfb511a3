import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

const source = new URL('../../../receivers/amd_gpu/testdata/amd_smi.c', import.meta.url).pathname;

/** Answers by key, each a status and numbers; see `testdata/amd_smi.c`. */
export type SmiAnswers = Readonly<Record<string, string>>;

/** Why there is no compiler; false if there is one. For `skip` of tests. */
export const withoutCompiler =
  spawnSync('gcc', ['--version']).status === 0
    ? false
    : 'gcc is missing, which builds the library for these tests';

/** The answers of an accelerator: a card at 0000:03:00.0. */
export const instinct: SmiAnswers = {
  cards: '0 1',
  '0.bdf': '0 0 3 0 0',
  '0.energy': '0 1000000 15.3',
  '0.power': '0 312 65535',
  '0.activity': '0 87 40 65535',
  '0.total.0': '0 206141652992',
  '0.usage.0': '0 303042560',
  '0.usage.2': '0 14811136',
  '0.temperature.1': '0 51',
  '0.temperature.2': '0 46',
};

/**
 * Builds the library with gcc, in the folder for temporary files.
 * @param without symbols to leave out
 */
export function buildAmdSmi(abi: number, answers: SmiAnswers = instinct, without: readonly string[] = []) {
  const folder = createFolder();
  const path = join(folder, `libamd_smi.so.${abi}`);
  const state = join(folder, 'answers');
  const renamed = without.map((symbol) => `-D${symbol}=without_${symbol}`);
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', `-DABI=${abi}`, `-DSTATE="${state}"`, ...renamed];
  const { status, stderr } = spawnSync('gcc', [...flags, '-o', path, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot build ${source}: ${stderr}`);
  let current: SmiAnswers = {};
  const set = (changed: SmiAnswers) => {
    current = { ...current, ...changed };
    const lines = Object.entries(current).map(([key, answer]) => `${key} ${answer}\n`);
    writeFileSync(`${state}.new`, lines.join(''));
    renameSync(`${state}.new`, state);
  };
  set(answers);
  /** `set` changes answers. */
  return { path, set };
}
