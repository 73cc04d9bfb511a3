import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { schema } from './config.js';
import { createConsole, createPlainScreen, createTerminalScreen, type Terminal } from './console.js';

/** A terminal that keeps its output. */
class FakeTerminal extends Writable implements Terminal {
  readonly isTTY: boolean;
  readonly columns = 60;
  readonly rows = 8;
  text = '';

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.text += text;
    this.emit('drawn');
    done();
  }
}

const series: Series = {
  metric: { name: 'hw.energy', unit: 'J', description: '', kind: 'counter', valueType: 'double' },
  resource: { attributes: {} },
  attributes: { 'hw.id': 'package-0', 'hw.type': 'cpu' },
  start: 0n,
};
const first = createRow([series], 0n, Float64Array.of(0));
const table = createRow([series], 2_000_000_000n, Float64Array.of(10));
const { clock } = createFakeContext();
const createWith = (settings: unknown, terminal: Terminal) =>
  createConsole(parseSettings(schema, settings), clock, terminal);

test('console shows a last summary and restores the cursor, when it is shut down', async () => {
  const terminal = new FakeTerminal(true);
  const exporter = createWith({}, terminal);
  await exporter.start();
  exporter.consume(first);
  assert.equal(exporter.consume(table), true);
  await exporter.shutdown();
  assert.ok(terminal.text.startsWith('\u001B[?25l'));
  assert.match(terminal.text, /Power +5\.000 W +10\.00 J/);
  assert.ok(terminal.text.endsWith('\n\u001B[?25h'));
  const { length } = terminal.text;
  await exporter.shutdown();
  assert.equal(terminal.text.length, length);
});

test('console leaves the last line free, so that the terminal does not scroll', async () => {
  const terminal = new FakeTerminal(true);
  const exporter = createWith({}, terminal);
  await exporter.start();
  exporter.consume(table);
  await exporter.shutdown();
  const [drawn = ''] = terminal.text.split('\u001B[J');
  assert.ok(drawn.split('\n').length <= terminal.rows - 1);
});

test('console writes nothing, when the output is not a terminal', async () => {
  const terminal = new FakeTerminal(false);
  const exporter = createWith({}, terminal);
  await exporter.start();
  assert.equal(exporter.consume(table), true);
  await exporter.shutdown();
  assert.equal(terminal.text, '');
});

test('console writes plain text, when it is configured to write into a pipe', async () => {
  const terminal = new FakeTerminal(false);
  const exporter = createWith({ when: 'always' }, terminal);
  await exporter.start();
  exporter.consume(table);
  await exporter.shutdown();
  assert.match(terminal.text, /^Joulemetry, running for \d+ s\n\nPower/);
  assert.ok(!terminal.text.includes('\u001B'));
});

test('console redraws periodically, while it runs', async () => {
  const terminal = new FakeTerminal(false);
  const exporter = createWith({ when: 'always', interval: '100ms' }, terminal);
  const drawn = once(terminal, 'drawn');
  await exporter.start();
  await drawn;
  await exporter.shutdown();
});

test('console leaves no listener on the process, when it is shut down', async () => {
  const before = process.listenerCount('exit');
  const exporter = createWith({}, new FakeTerminal(true));
  await exporter.start();
  assert.equal(process.listenerCount('exit'), before + 1);
  await exporter.shutdown();
  assert.equal(process.listenerCount('exit'), before);
});

test('draw replaces the last summary and puts the cursor above it', () => {
  const texts: string[] = [];
  const screen = createTerminalScreen({ write: (text) => texts.push(text) > 0 });
  screen.draw(['one', 'two']);
  screen.draw(['three']);
  screen.close();
  assert.deepEqual(texts, [
    '\u001B[?25l\r\u001B[K\n\u001B[Kone\n\u001B[Ktwo\u001B[J\u001B[2A\r',
    '\u001B[?25l\r\u001B[K\n\u001B[Kthree\u001B[J\u001B[1A\r',
    '\n\n\u001B[?25h',
  ]);
});

test('draw separates summaries by an empty line, when they are written below each other', () => {
  const texts: string[] = [];
  createPlainScreen({ write: (text) => texts.push(text) > 0 }).draw(['one', 'two']);
  assert.deepEqual(texts, ['one\ntwo\n\n']);
});
