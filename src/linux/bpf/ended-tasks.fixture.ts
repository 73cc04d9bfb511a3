import { copyFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { Assembler } from './assembler.js';
import { attachTracepoint, closeAll, createMap, loadProgram, mapMemory } from './bpf.js';
import { KernelTypes } from './kernel-types.js';

const name = 'test_ends';
const prefixBytes = 8;

/**
 * A copy of a program under a name that no other process on the machine shares in its first eight letters. A link
 * would not do: processes are named by the file that they execute, so its other users would get the same name.
 */
export function nameUniquely(program: string, suffix = ''): string {
  const unique = `jm${process.pid.toString(36).padStart(prefixBytes - 2, '0')}${suffix}`;
  const path = join(createFolder(), unique);
  copyFileSync(realpathSync(program), path);
  return path;
}

/**
 * Counts ended threads whose names start with a unique prefix, with a program of its own. Some virtual machines
 * run no programs while their own agent runs, so that one end in a hundred is never reported: the accounting
 * under test may miss as many as this counter does.
 */
export class EndedTasks {
  readonly #fds: number[];
  readonly #words: BigUint64Array;
  readonly #unmap: () => void;

  /** @param path of `nameUniquely` */
  static async open(path: string): Promise<EndedTasks> {
    const types = await KernelTypes.load();
    const map = createMap('array', name, { entries: 1, valueBytes: 16 });
    const prefix = Buffer.from(path.slice(path.lastIndexOf('/') + 1));
    const attachTo = types.findId('btf_trace_sched_process_free', 'typedef');
    const code = assemble(types, map, prefix);
    const program = await loadProgram({ name, kind: 'tracepoint', attachTo, code });
    return new EndedTasks([map, program, attachTracepoint(name, program)]);
  }

  private constructor(fds: readonly [map: number, program: number, link: number]) {
    const { memory, unmap } = mapMemory(fds[0], 'read', 16);
    this.#fds = [...fds];
    this.#words = new BigUint64Array(memory, 0, 2);
    this.#unmap = unmap;
  }

  get count(): number {
    return Number(this.#words[0]);
  }

  /** CPU time over their lifetimes. */
  get cpuNs(): number {
    return Number(this.#words[1]);
  }

  close(): void {
    closeAll(this.#fds);
    this.#unmap();
  }
}

/** tp_btf/sched_process_free (task). */
function assemble(types: KernelTypes, map: number, prefix: Buffer): Assembler {
  const code = new Assembler().load(7, 1, 0);
  for (let at = 0; at < prefixBytes; at += 4) {
    code.load(2, 7, types.findOffset('task_struct', 'comm') + at, 4);
    code.jumpIf(2, 'notEqual', prefix.readInt32LE(at), 'end');
  }
  code.load(3, 7, types.findOffset('task_struct', 'se.sum_exec_runtime'));
  code.loadMapValue(1, map, 0).set(2, 1).addAtomically(1, 0, 2).addAtomically(1, 8, 3);
  return code.label('end').return();
}
