import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { perfEventsRefused } from '../linux/perf/refused.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { CommandEvents } from './command-counters.js';
import { measureRun, type Instruments, type RunPlan } from './measure-run.js';
import { RunRecorder } from './run-recorder.js';
import type { Session } from './session.js';
import { SignalRelay } from './signal-relay.js';

/** A session without meters. */
function createSession(flush: () => Promise<void>): Session {
  return {
    recorder: new RunRecorder(0n),
    mark: () => Promise.resolve(0),
    begin(command) {
      command.release();
      return 0;
    },
    end: () => Promise.resolve(),
    flush,
    close: () => Promise.resolve(),
  };
}

function createInstruments(t: TestContext, flush: () => Promise<void>): Instruments {
  const relay = new SignalRelay();
  t.after(() => relay.close());
  const events = new CommandEvents(['task-clock']);
  return {
    session: createSession(flush),
    relay,
    events,
    tree: Promise.resolve(undefined),
    noteSum: assert.fail,
  };
}

/** A script whose first line names no interpreter: execve(2) refuses it. */
function planScript(text: string): RunPlan {
  const script = join(createFolder(), 'script');
  writeFileSync(script, text);
  chmodSync(script, 0o755);
  const path = Buffer.from(script);
  return { name: path, path, args: [], baselineMs: undefined };
}

function countOpenEvents(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.includes('perf_event')).length;
}

test(
  'measureRun leaves no counter open, when the kernel runs a script only by a shell',
  { skip: perfEventsRefused },
  async (t) => {
    const duringFlush: number[] = [];
    const instruments = createInstruments(t, async () => void duringFlush.push(countOpenEvents()));
    const record = await measureRun(planScript('exit 3\n'), instruments);
    assert.equal(record.end.exitCode, 3);
    assert.ok((record.counts?.events[0]?.value ?? 0) > 0);
    const [refused = 0, run] = duringFlush;
    assert.ok(refused > 0);
    assert.deepEqual([run, countOpenEvents()], [refused, 0]);
  },
);

test(
  'measureRun leaves no counter open, when no reading can be taken before the command',
  { skip: perfEventsRefused },
  async (t) => {
    let opened = 0;
    const instruments = createInstruments(t, () => {
      opened = countOpenEvents();
      return Promise.reject(new Error('no meter'));
    });
    await assert.rejects(measureRun(planScript('#!/bin/sh\n'), instruments), /^Error: no meter$/);
    assert.ok(opened > 0);
    assert.equal(countOpenEvents(), 0);
  },
);
