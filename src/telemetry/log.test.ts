import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, createPlainLog, RepeatedWarnings } from './log.js';

/** A stream that collects what is written to it. */
function createStream() {
  const lines: string[] = [];
  return { lines, write: (line: string) => lines.push(line) };
}

test('createLog writes a line of text, with component and fields', async () => {
  const stream = createStream();
  const log = await createLog({ level: 'info', format: 'console', stream });
  log
    .forComponent('rapl/2', 'receiver')
    .info('Reads package-0', { zones: 2, path: '/sys/x', note: 'two words' });
  log.error('Ends');
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  assert.match(
    stream.lines[0] ?? '',
    new RegExp(`^${time} info rapl/2: Reads package-0 zones=2 path=/sys/x note="two words"\n$`, 'u'),
  );
  assert.match(stream.lines[1] ?? '', new RegExp(`^${time} error Ends\n$`, 'u'));
});

test('createLog writes one object per line with the names of the Collector for json', async () => {
  const stream = createStream();
  const log = await createLog({ level: 'debug', format: 'json', stream });
  log.forComponent('rapl', 'receiver').warn('Cannot read', { error: new Error('boom'), raw: 2n ** 60n });
  const { ts, ...record } = JSON.parse(stream.lines[0] ?? '') as Record<string, unknown>;
  assert.match(String(ts), /Z$/u);
  assert.deepEqual(record, {
    level: 'warn',
    'otelcol.component.id': 'rapl',
    'otelcol.component.kind': 'receiver',
    error: 'boom',
    raw: '1152921504606846976',
    msg: 'Cannot read',
  });
});

test('createLog leaves out messages below its level', async () => {
  const stream = createStream();
  const log = await createLog({ level: 'warn', format: 'console', stream });
  const component = log.forComponent('host', 'receiver');
  for (const one of [log, component]) {
    one.debug('x');
    one.info('x');
    one.warn('x');
    one.error('x');
  }
  assert.equal(stream.lines.length, 4);
});

test('createLog writes as configured later, also for components that already have their log', async () => {
  const stream = createStream();
  const log = await createLog({ level: 'info', format: 'console', stream });
  const component = log.forComponent('host', 'receiver');
  component.debug('not this');
  await log.configure({ level: 'debug', format: 'json' });
  component.debug('this');
  await log.configure({ level: 'error', format: 'console' });
  component.warn('not this');
  log.error('and this');
  const [first = '', second = ''] = stream.lines;
  assert.deepEqual([stream.lines.length, (JSON.parse(first) as { msg: string }).msg], [2, 'this']);
  assert.match(second, /Z error and this\n$/u);
});

test('createPlainLog writes lines like those of other commands', () => {
  const stream = createStream();
  const log = createPlainLog('info', stream);
  log.debug('not this');
  log.info('Measures');
  log.forComponent('rapl', 'receiver').warn('Cannot read', { error: new Error('boom') });
  assert.deepEqual(stream.lines, [
    'joulemetry: info: Measures\n',
    'joulemetry: warn: rapl: Cannot read error=boom\n',
  ]);
});

test('both logs keep a message in one line if it contains line ends and terminal codes', async () => {
  const message = 'process "a\nb\u001b[31m" ended';
  const stream = createStream();
  createPlainLog('info', stream).info(message, { name: 'x\ny' });
  (await createLog({ level: 'info', format: 'console', stream })).info(message);
  assert.equal(
    stream.lines[0],
    String.raw`joulemetry: info: process "a\nb\x1b[31m" ended name="x\ny"` + '\n',
  );
  assert.match(stream.lines[1] ?? '', /info process "a\\nb\\x1b\[31m" ended\n$/u);
});

test('both logs leave out likely secrets', async () => {
  const stream = createStream();
  const fields = { Authorization: 'Bearer x', api_key: 'y', user: 'z' };
  createPlainLog('info', stream).info('Sends', fields);
  assert.equal(
    stream.lines[0],
    'joulemetry: info: Sends Authorization=[redacted] api_key=[redacted] user=z\n',
  );
  (await createLog({ level: 'info', format: 'json', stream })).info('Sends', fields);
  assert.ok(!stream.lines[1]?.includes('Bearer'));
});

function createWarnings() {
  const lines: string[] = [];
  const repeated = new RepeatedWarnings();
  const warnFor = (id?: string) => repeated.for(id, (message) => void lines.push(`${id}: ${message}`));
  return { lines, repeated, warnFor };
}

test('RepeatedWarnings writes a warning once, and the number of repetitions after a minute', (t) => {
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

test('RepeatedWarnings distinguishes warnings and components', () => {
  const { lines, repeated, warnFor } = createWarnings();
  for (const id of ['rapl', 'rapl/b', undefined]) for (const message of ['a', 'b']) warnFor(id)(message);
  assert.equal(lines.length, 6);
  repeated.flush();
  assert.equal(lines.length, 6, 'none was repeated');
});

test('RepeatedWarnings writes the counts at the end of the process and adds its listener once', () => {
  const before = process.listenerCount('exit');
  const { lines, repeated, warnFor } = createWarnings();
  for (const id of ['a', 'a', 'b', 'b']) warnFor(id)('lost');
  assert.equal(process.listenerCount('exit'), before + 1);
  process.listeners('exit').at(-1)?.(0);
  assert.deepEqual(lines.slice(2), ['a: lost (repeated 1 time)', 'b: lost (repeated 1 time)']);
  repeated.flush();
  assert.equal(process.listenerCount('exit'), before);
});

test('RepeatedWarnings writes every warning if too many differ', () => {
  const { lines, repeated, warnFor } = createWarnings();
  const warn = warnFor('perf');
  for (let i = 0; i < 1001; i++) warn(`event ${i}`);
  warn('event 1000');
  assert.equal(lines.length, 1002);
  repeated.flush();
});
