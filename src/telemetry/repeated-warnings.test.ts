import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RepeatedWarnings } from './repeated-warnings.js';

function createWarnings() {
  const lines: string[] = [];
  const repeated = new RepeatedWarnings();
  const warnFor = (id?: string) => repeated.for(id, (message) => void lines.push(`${id}: ${message}`));
  return { lines, repeated, warnFor };
}

test('RepeatedWarnings writes a warning once, and how often it came again after a minute', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lines, warnFor } = createWarnings();
  const warn = warnFor('rapl');
  for (let i = 0; i < 1200; i++) warn('Cannot read package-0: EIO');
  assert.deepEqual(lines, ['rapl: Cannot read package-0: EIO']);
  t.mock.timers.tick(60_000);
  assert.deepEqual(lines.slice(1), ['rapl: Cannot read package-0: EIO (repeated 1199 times)']);
  warn('Cannot read package-0: EIO');
  assert.equal(lines.at(-1), 'rapl: Cannot read package-0: EIO');
});

test('RepeatedWarnings tells warnings and components apart', () => {
  const { lines, repeated, warnFor } = createWarnings();
  for (const id of ['rapl', 'rapl/b', undefined]) for (const message of ['a', 'b']) warnFor(id)(message);
  assert.equal(lines.length, 6);
  repeated.flush();
  assert.equal(lines.length, 6, 'none was repeated');
});

test('RepeatedWarnings writes the counts at the end of the process and listens for it once', () => {
  const before = process.listenerCount('exit');
  const { lines, repeated, warnFor } = createWarnings();
  for (const id of ['a', 'a', 'b', 'b']) warnFor(id)('lost');
  assert.equal(process.listenerCount('exit'), before + 1);
  process.listeners('exit').at(-1)?.(0);
  assert.deepEqual(lines.slice(2), ['a: lost (repeated 1 time)', 'b: lost (repeated 1 time)']);
  repeated.flush();
  assert.equal(process.listenerCount('exit'), before);
});

test('RepeatedWarnings writes every warning, when too many differ', () => {
  const { lines, repeated, warnFor } = createWarnings();
  const warn = warnFor('perf');
  for (let i = 0; i < 1001; i++) warn(`event ${i}`);
  warn('event 1000');
  assert.equal(lines.length, 1002);
  repeated.flush();
});
