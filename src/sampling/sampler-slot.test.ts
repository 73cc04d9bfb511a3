import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readClocks, type ClockReading } from '../linux/clocks.js';
import { SamplerSlot } from './sampler-slot.js';
import { createTestControl, mode, openSampler, word } from './test-sampler.fixture.js';
import type { FailureMessage, RowsMessage, StateMessage } from './thread-connection.js';

const hourNs = 3_600_000_000_000n;

/** A slot whose clocks can be set, and its output: rows as their first column. */
function openSlot(times: { readonly periodNs?: number; readonly flushNs?: number } = {}) {
  const control = createTestControl();
  const sent: (RowsMessage | StateMessage | FailureMessage)[] = [];
  const state = { hasRoom: true, isAsleep: false, realtimeNs: 0n, boottimeNs: 0n };
  const setClocks = (clocks: ClockReading) => ({
    ...clocks,
    realtimeNs: clocks.realtimeNs + state.realtimeNs,
    boottimeNs: clocks.boottimeNs + state.boottimeNs,
  });
  const options = { id: 1, periodNs: 1e6, flushNs: 3.6e12, options: control, ...times };
  const slot = new SamplerSlot(
    { ...options, open: openSampler, readClocks: () => setClocks(readClocks()) },
    {
      post: (message) => void sent.push(message),
      postRows(message) {
        if (state.hasRoom) sent.push(message);
        return state.hasRoom;
      },
    },
  );
  slot.open();
  const brief = () =>
    sent
      .splice(0)
      .map((message) =>
        message.type === 'rows'
          ? `${message.announcement === undefined ? '' : 'new '}${message.rows.values.join(' ')}`
          : message.type,
      );
  return { slot, control, sent, state, brief };
}

test('SamplerSlot sends the first reading immediately and then once per flush', () => {
  const { slot, brief } = openSlot();
  assert.deepEqual(brief(), ['new 0']);
  slot.tick();
  slot.tick();
  assert.deepEqual(brief(), []);
  slot.flush();
  assert.deepEqual(brief(), ['1 2 3']);
  slot.close();
  assert.deepEqual(brief(), ['4']);
});

test('SamplerSlot starts new series when the wall clock was stepped', () => {
  const { slot, control, sent, state, brief } = openSlot();
  slot.tick();
  state.realtimeNs = -hourNs;
  slot.flush();
  const [, last, , first] = sent as RowsMessage[];
  assert.deepEqual(brief(), ['new 0', '1 2', 'ended', 'new 0']);
  assert.ok(first.rows.epoch < last.rows.epoch - hourNs / 2n);
  assert.equal(first.announcement?.start, first.rows.epoch);
  assert.equal(control[word.closed], 1);
  slot.tick();
  slot.flush();
  assert.deepEqual(brief(), ['1 2']);
});

test('SamplerSlot drops and counts the rows around a suspend of the machine', () => {
  const { slot, sent, state, brief } = openSlot();
  slot.tick();
  state.realtimeNs = hourNs;
  state.boottimeNs = hourNs;
  slot.flush();
  const first = sent.at(-1) as RowsMessage;
  assert.deepEqual(brief(), ['new 0', 'ended', 'new 0']);
  assert.equal(first.counts.droppedRows, 2);
  assert.equal(first.counts.droppedTables, 1);
});

test('SamplerSlot retries a failed sampler after a growing pause, and reports when it reads again', () => {
  const { slot, control, brief } = openSlot();
  slot.tick();
  control[word.mode] = mode.failRead;
  slot.tick();
  assert.deepEqual(brief(), ['new 0', '1', 'ended', 'failed']);
  const pauses = Array.from({ length: 10 }, () => {
    slot.tick();
    return Math.round((slot.timer.deadlineNs - slot.timer.lastNs) / 1e8);
  });
  assert.ok(pauses[0] < pauses[1] && pauses[9] <= 302, pauses.join(' '));
  assert.deepEqual(new Set(brief()), new Set(['ended', 'failed']));
  control[word.mode] = mode.normal;
  slot.tick();
  assert.deepEqual(brief(), ['new 0']);
  slot.tick();
  slot.flush();
  assert.deepEqual(brief(), ['recovered', '1 2']);
});

test('SamplerSlot keeps its counts and announcements while the main thread is too far behind', () => {
  const { slot, control, sent, state, brief } = openSlot();
  brief();
  state.hasRoom = false;
  control[word.mode] = mode.newGeneration;
  slot.flush();
  slot.tick();
  slot.flush();
  state.hasRoom = true;
  slot.flush();
  const [message] = sent as RowsMessage[];
  assert.deepEqual(brief(), ['new 3']);
  assert.equal(message.counts.droppedRows, 3);
  assert.equal(message.counts.droppedTables, 2);
  assert.ok((message.announcement?.start ?? 0n) < message.rows.epoch);
});

test('SamplerSlot reads before and after other options that change the columns, and keeps both readings', () => {
  const { slot, control, brief } = openSlot();
  slot.tick();
  slot.update({ control, columnIds: [0, 7] });
  assert.deepEqual(brief(), ['new 0', '1 2', 'new 3 7']);
  slot.update({ control, columnIds: [] });
  slot.tick();
  assert.deepEqual(brief(), ['4 7', 'new ']);
  control[word.mode] = mode.failRead;
  slot.tick();
  slot.update({ control, columnIds: [0, 8] });
  control[word.mode] = mode.normal;
  slot.tick();
  assert.deepEqual(brief(), ['', 'ended', 'failed', 'new 0 8']);
});

/** A slot with a short period, whose second reading has started a flush. */
function beginFlush() {
  const opened = openSlot({ periodNs: 1e5, flushNs: 1e9 });
  const { slot, brief } = opened;
  slot.tick();
  brief();
  slot.timer.deadlineNs += 1e9;
  slot.tick();
  assert.deepEqual(brief(), []);
  return opened;
}

test('SamplerSlot divides a flush among later readings if the period is short', () => {
  const { slot, control, brief } = beginFlush();
  control[word.mode] = mode.newColumn;
  slot.tick();
  assert.deepEqual(brief(), ['1 2']);
  assert.equal(control[word.mode], mode.newColumn);
  slot.tick();
  assert.deepEqual(brief(), ['3 4']);
  assert.equal(control[word.mode], mode.normal);
  slot.tick();
  slot.flush();
  assert.deepEqual(brief(), ['new 0 1 1 1']);
});

test('SamplerSlot sends the rows taken by a flush before anything else', () => {
  for (const [end, sent] of [
    [mode.newGeneration, ['1 2', 'new 0 1']],
    [mode.failRead, ['1 2', 'ended', 'failed']],
  ] as const) {
    const { slot, control, brief } = beginFlush();
    control[word.mode] = end;
    slot.tick();
    slot.flush();
    assert.deepEqual(brief(), sent);
  }
  const { slot, brief } = beginFlush();
  slot.close();
  assert.deepEqual(brief(), ['1 2', '3']);
});

test('SamplerSlot finishes a flush immediately when the wall clock was stepped', () => {
  const { slot, state, brief } = openSlot({ periodNs: 1e5, flushNs: 1e9 });
  slot.tick();
  state.realtimeNs = -hourNs;
  slot.timer.deadlineNs += 1e9;
  slot.tick();
  assert.deepEqual(brief(), ['new 0', '1 2', 'ended', 'new 0']);
  slot.tick();
  slot.tick();
  assert.deepEqual(brief(), []);
});
