import { cpus } from 'node:os';
import type { Writable } from 'node:stream';
import type { ConsumingComponent } from '../../src/component/component.js';
import { createOutput, type Output } from '../../src/component/output.js';
import type { Clock } from '../../src/linux/clock.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { createView } from './create-view.js';
import { Readings } from './readings.js';
import { renderView } from './render.js';

/** The parts of `process.stdout` that are used. */
export interface Terminal extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Redraws a summary periodically, where stdout is a terminal. */
export function createConsole(config: Config, clock: Clock, terminal: Terminal): ConsumingComponent {
  const hasReader = terminal.isTTY === true || config.when === 'always';
  return hasReader
    ? new Summaries(config, clock, terminal)
    : { start() {}, consume: () => true, consumeHistograms: () => true, shutdown() {} };
}

class Summaries implements ConsumingComponent {
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #terminal: Terminal;
  readonly #screen: Screen;
  readonly #readings: Readings;
  // A second signal ends the process at once: the cursor must be restored then, too.
  readonly #close = () => this.#screen.close();
  #startedNs = 0n;
  #timer: NodeJS.Timeout | undefined;

  constructor(config: Config, clock: Clock, terminal: Terminal) {
    this.#config = config;
    this.#readings = new Readings(config.list);
    this.#clock = clock;
    this.#terminal = terminal;
    const output = createOutput(terminal);
    this.#screen = terminal.isTTY === true ? createTerminalScreen(output) : createPlainScreen(output);
  }

  start(): void {
    this.#startedNs = this.#clock.monotonicNs();
    this.#timer = setInterval(() => this.#draw(), this.#config.interval);
    process.once('exit', this.#close);
  }

  consume(table: Table): boolean {
    this.#readings.take(table);
    return true;
  }

  /** Summaries never show histograms, so a warning about ignored ones would not help. */
  consumeHistograms(): boolean {
    return true;
  }

  /** Draws the last readings once more, since this summary remains on the screen. */
  shutdown(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw();
    this.#close();
    process.off('exit', this.#close);
  }

  #draw(): void {
    const elapsed = Number(this.#clock.monotonicNs() - this.#startedNs) / 1e9;
    const view = createView(this.#readings, { elapsed, cpuCount: cpus().length, top: this.#config.top });
    const { columns = 80, rows = Infinity } = this.#terminal;
    // One line is left empty above and one below, or the terminal would scroll.
    const size = { columns, rows: Math.max(1, rows - 2) };
    this.#screen.draw(renderView(view, size).slice(0, size.rows));
  }
}

/** Where summaries are drawn, each replacing the last one or below it. */
export interface Screen {
  draw(lines: readonly string[]): void;
  /** Keeps the last summary on the screen and moves the cursor below it. */
  close(): void;
}

const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
const clearLine = '\u001B[K';
const clearBelow = '\u001B[J';
const up = (lines: number) => (lines > 0 ? `\u001B[${lines}A` : '');
const down = (lines: number) => '\n'.repeat(lines);

/**
 * Draws in place with a single write each time, which avoids flicker. The cursor rests above the summary, on an
 * empty line, so that messages of other code appear above the next summary, not inside it.
 */
export function createTerminalScreen(output: Output): Screen {
  let height = 0;
  return {
    draw(lines) {
      const text = ['', ...lines].map((line) => `${clearLine}${line}`).join('\n');
      output.write(`${hideCursor}\r${text}${clearBelow}${up(lines.length)}\r`);
      height = lines.length;
    },
    close() {
      if (height > 0) output.write(`${down(height)}\n${showCursor}`);
      height = 0;
    },
  };
}

/** Writes summaries below each other, for files and pipes. */
export function createPlainScreen(output: Output): Screen {
  return {
    draw: (lines) => void output.write(`${lines.join('\n')}\n\n`),
    close() {},
  };
}
