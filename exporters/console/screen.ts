import type { Output } from '../../src/component/output.js';

/** Where summaries appear, each one in place of the last or below it. */
export interface Screen {
  draw(lines: readonly string[]): void;
  /** Leaves the last summary standing, and the cursor below it. */
  close(): void;
}

const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
const clearLine = '\u001B[K';
const clearBelow = '\u001B[J';
const up = (lines: number) => (lines > 0 ? `\u001B[${lines}A` : '');
const down = (lines: number) => '\n'.repeat(lines);

/**
 * Draws in place, each time in one piece, which leaves nothing to flicker. The cursor rests above the summary, on
 * an empty line, so that a message from elsewhere stands above the next one instead of in the midst of it.
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

/** Writes one below the other, for files and pipes. */
export function createPlainScreen(output: Output): Screen {
  return {
    draw: (lines) => void output.write(`${lines.join('\n')}\n\n`),
    close() {},
  };
}
