import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TypeFacts } from './kernel-types.js';
import { skip, types } from './real-kernel.fixture.js';
import { TreePrograms } from './tree-programs.js';

/** Longer than the verifier takes for all programs. */
const loadingMs = 500;

/** Number of open programs, maps and links. */
function countOpen(): number {
  return readdirSync('/proc/self/fd').filter((fd) => findTarget(fd).startsWith('anon_inode:bpf')).length;
}

/** The descriptor of the list itself is closed by now. */
function findTarget(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

for (const lacking of ['btf_trace_sched_process_exec', 'bpf_iter_task']) {
  test(`TreePrograms leaves nothing open in a kernel without ${lacking}`, { skip }, async () => {
    assert.ok(types);
    const known = types;
    const before = countOpen();
    const facts: TypeFacts = {
      findOffset: (...path) => known.findOffset(...path),
      findOptionalOffset: (...path) => known.findOptionalOffset(...path),
      findSize: (struct) => known.findSize(struct),
      findId: (name, of) => (name === lacking ? 0 : known.findId(name, of)),
      findEnumerator: (...names) => known.findEnumerator(...names),
    };
    await assert.rejects(TreePrograms.open(facts), /^BpfError: Cannot load BPF program "joule_tree/u);
    assert.equal(countOpen(), before);
    // Those that were still being loaded when one failed.
    await sleep(loadingMs);
    assert.equal(countOpen(), before);
  });
}
