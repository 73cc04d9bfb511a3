import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeStat, type FakeStat } from '../linux/process-stat.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';

/** A fake process, without its pid. */
export interface FakeProcess extends FakeStat {
  readonly cgroup?: string;
  readonly exe?: string;
}

/** A folder that looks like a procfs, for tests. */
export interface FakeProcfs {
  readonly path: string;
  /** Writes the files of a process, or overwrites them. */
  write(pid: number, process: FakeProcess): void;
  /** Writes any file of a process. */
  writeFile(pid: number, name: string, text: string): void;
  remove(pid: number): void;
  /** Writes `stat` of a machine with one CPU; without `births` it has no count of them. */
  writeStat(idleTicks: number, births?: number): void;
}

/** Unix time at which the fake machine was booted. */
export const bootSeconds = 1_700_000_000;

/** Creates an empty one in the folder for temporary files. */
export function createFakeProcfs(): FakeProcfs {
  const path = createFolder();
  const folder = (pid: number): string => join(path, String(pid));
  const writeStat = (idleTicks: number, births?: number): void => {
    const times = `0 0 0 ${idleTicks} 0 0 0 0 0 0`;
    const processes = births === undefined ? '' : `processes ${births}\n`;
    writeFileSync(
      join(path, 'stat'),
      `cpu  ${times}\ncpu0 ${times}\nintr 0\nbtime ${bootSeconds}\n${processes}`,
    );
  };
  writeStat(0);
  return {
    path,
    write(pid, process) {
      mkdirSync(folder(pid), { recursive: true });
      writeFileSync(join(folder(pid), 'stat'), describeStat(pid, process));
      writeFileSync(join(folder(pid), 'cgroup'), `0::${process.cgroup ?? '/'}\n`);
      rmSync(join(folder(pid), 'exe'), { force: true });
      symlinkSync(process.exe ?? '/usr/bin/program', join(folder(pid), 'exe'));
    },
    writeFile: (pid, name, text) => writeFileSync(join(folder(pid), name), text),
    remove: (pid) => rmSync(folder(pid), { recursive: true }),
    writeStat,
  };
}
