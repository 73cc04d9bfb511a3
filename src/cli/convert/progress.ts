import { statSync } from 'node:fs';
import type { Consumer } from '../../component/consumer.js';
import { escapeControls } from '../../component/output.js';
import { countHistograms, type HistogramTable } from '../../model/histogram-table.js';
import { countPoints, type Table } from '../../model/table.js';
import type { LogStream } from '../../telemetry/log.js';

const progressEveryMs = 200;

/** Counts points and shows their number on a terminal, on a line below the log. */
export class Progress implements Consumer, LogStream {
  readonly #isShown = process.stderr.isTTY;
  readonly #startedMs = performance.now();
  #points = 0;
  #timer: NodeJS.Timeout | undefined;

  consume(table: Table): boolean {
    this.#points += countPoints(table);
    return true;
  }

  consumeHistograms(table: HistogramTable): boolean {
    this.#points += countHistograms(table);
    return true;
  }

  start(): void {
    if (this.#isShown) this.#timer = setInterval(() => this.#show(), progressEveryMs);
  }

  write(line: string): void {
    process.stderr.write(this.#isShown ? eraseLine + line : line);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** @param result undefined: the reason was already logged */
  report(result: string | undefined): void {
    if (result !== undefined) this.write(`${escapeControls(result)}\n`);
  }

  /** What was written to a file. */
  describe(path: string): string {
    return `${path}: ${this.#count()}, ${formatBytes(statSync(path).size)}`;
  }

  #show(): void {
    this.write(this.#count());
  }

  #count(): string {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return `${this.#points.toLocaleString('en')} points in ${seconds.toFixed(1)} s`;
  }
}

/** Moves to the first column and clears the line. */
const eraseLine = '\r\u001b[K';

function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
