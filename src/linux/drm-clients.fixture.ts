import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../testing/temporary-folder.fixture.js';

/** A procfs with processes that have GPU files open. */
export class FakeDrm {
  readonly procfs: string;

  constructor(procfs = createFolder()) {
    this.procfs = procfs;
  }

  /** A process with some other files. */
  start(pid: number): void {
    for (const folder of ['fd', 'fdinfo'])
      mkdirSync(join(this.procfs, `${pid}/${folder}`), { recursive: true });
    this.#link(pid, 0, '/dev/null');
    writeFileSync(join(this.procfs, `${pid}/fdinfo/0`), 'pos:\t0\nflags:\t0100000\n');
  }

  /** Opens a GPU, or changes the content of its file. */
  write(pid: number, descriptor: number, lines: Readonly<Record<string, string | number>>): void {
    this.#link(pid, descriptor, '/dev/dri/renderD128');
    const text = Object.entries(lines).map(([key, value]) => `drm-${key}:\t${value}\n`);
    writeFileSync(join(this.procfs, `${pid}/fdinfo/${descriptor}`), text.join(''));
  }

  close(pid: number, descriptor: number): void {
    for (const folder of ['fd', 'fdinfo']) rmSync(join(this.procfs, `${pid}/${folder}/${descriptor}`));
  }

  end(pid: number): void {
    rmSync(join(this.procfs, String(pid)), { recursive: true });
  }

  #link(pid: number, descriptor: number, target: string): void {
    const path = join(this.procfs, `${pid}/fd/${descriptor}`);
    rmSync(path, { force: true });
    symlinkSync(target, path);
  }
}

/** The fdinfo of an i915 client's render engine. */
export function describeClient(id: number, ns: number, pdev = '0000:00:02.0') {
  return { driver: 'i915', 'client-id': id, pdev, 'engine-render': `${ns} ns` };
}
