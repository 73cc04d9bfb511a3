import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a made-up process is, beside its pid. */
export interface FakeProcess {
  readonly comm?: string;
  readonly state?: string;
  readonly parentPid?: number;
  readonly flags?: number;
  readonly minorFaults?: number;
  readonly majorFaults?: number;
  readonly userTicks?: number;
  readonly systemTicks?: number;
  readonly threads?: number;
  readonly startTicks?: number;
  readonly virtualBytes?: number;
  readonly residentPages?: number;
  readonly cgroup?: string;
  readonly exe?: string;
}

/** A folder that looks like a procfs, for tests. */
export interface FakeProcfs {
  readonly path: string;
  /** Writes the files of a process, anew where it was there. */
  write(pid: number, process: FakeProcess): void;
  /** Writes any file of a process. */
  writeFile(pid: number, name: string, text: string): void;
  remove(pid: number): void;
  /** Writes `stat` of a machine with one CPU; without births it does not tell of them. */
  writeStat(idleTicks: number, births?: number): void;
  delete(): void;
}

/** Unix time at which the made-up machine was started. */
export const bootSeconds = 1_700_000_000;

/** Makes an empty one in the folder for temporary files. */
export function createFakeProcfs(): FakeProcfs {
  const path = mkdtempSync(join(tmpdir(), 'procfs-'));
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
    delete: () => rmSync(path, { recursive: true }),
  };
}

/** A line of `/proc/<pid>/stat` as proc_pid_stat(5) has it. */
export function describeStat(pid: number, process: FakeProcess): string {
  const { state = 'S', parentPid = 1, flags = 0, minorFaults = 0, majorFaults = 0 } = process;
  const { userTicks = 0, systemTicks = 0, threads = 1, startTicks = 100 } = process;
  const { virtualBytes = 0, residentPages = 0 } = process;
  const fields = [
    `${state} ${parentPid} ${pid} ${pid} 0 -1 ${flags} ${minorFaults} 0 ${majorFaults} 0`,
    `${userTicks} ${systemTicks} 0 0 20 0 ${threads} 0 ${startTicks} ${virtualBytes} ${residentPages}`,
    '18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0',
  ];
  return `${pid} (${process.comm ?? 'program'}) ${fields.join(' ')}\n`;
}
