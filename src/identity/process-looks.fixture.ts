import assert from 'node:assert/strict';
import { ProcessStat } from '../linux/process-stat.js';
import type { Attributes } from '../model/series.js';
import { createFakeProcfs, type FakeProcess, type FakeProcfs } from './fake-procfs.fixture.js';
import { IdentityReader, type ProcessIdentity } from './process-identity.js';

/** Looks at one process repeatedly, as a receiver does. */
export class Looks {
  readonly #procfs: string;
  readonly #pid: number;
  readonly #reader: IdentityReader;
  #identity: ProcessIdentity | undefined;

  constructor(procfs: string, pid: number) {
    this.#procfs = procfs;
    this.#pid = pid;
    this.#reader = new IdentityReader({ procfs, passwd: '/etc/passwd', hasCommandLine: true, service: true });
  }

  look(): Attributes {
    const stat = new ProcessStat();
    assert.ok(stat.read(`${this.#procfs}/${this.#pid}`));
    this.#identity =
      this.#identity === undefined
        ? this.#reader.read(this.#pid, stat)
        : this.#reader.readAgain(this.#pid, stat, this.#identity);
    return this.#identity.attributes;
  }

  get name(): unknown {
    return this.look()['process.executable.name'];
  }
}

export function fake(process: FakeProcess): { procfs: FakeProcfs; looks: Looks } {
  const procfs = createFakeProcfs();
  procfs.write(7, process);
  return { procfs, looks: new Looks(procfs.path, 7) };
}
