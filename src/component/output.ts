import type { Writable } from 'node:stream';
import { elementAt } from '../element.js';

/** Where text for people is written: a terminal, a pipe, a file. */
export interface Output {
  /**
   * Writes a text, or drops it if the reader is gone or far behind: callers never wait, and memory is bounded.
   * @returns whether it was written
   */
  write(text: string): boolean;
}

const maxPendingBytes = 1024 * 1024;

const failed = new WeakMap<Writable, { hasFailed: boolean }>();

/**
 * An output on a stream that others may write to as well, such as `process.stderr`. A closed stream is not an
 * error.
 */
export function createOutput(stream: Writable): Output {
  const state = guard(stream);
  return {
    write(text) {
      if (state.hasFailed || stream.writableLength > maxPendingBytes) return false;
      stream.write(text);
      return true;
    },
  };
}

/** Never removed: an EPIPE can be emitted after the last writer is gone. */
function guard(stream: Writable): { readonly hasFailed: boolean } {
  const known = failed.get(stream);
  if (known) return known;
  const state = { hasFailed: false };
  failed.set(stream, state);
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // A full disk may have space again.
    state.hasFailed ||= code !== 'ENOSPC';
  });
  return state;
}

/**
 * Names of processes, devices and commands are foreign text: they must not break lines, control a terminal, or
 * change the direction of text (Bidi_Control, UAX #9).
 */
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu; // oxlint-disable-line no-control-regex -- it is what is looked for

/** Escapes control characters, so that a text stays on one line: `\n`, `\x1b`, `\u202e`. */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, (character) => {
    if (character === '\n') return String.raw`\n`;
    const code = character.charCodeAt(0);
    return code > 0xff ? escapeCode(code) : String.raw`\x` + code.toString(16).padStart(2, '0');
  });
}

/**
 * A value as indented JSON with a final line end. Control characters are escaped as JSON escapes, so its
 * meaning is unchanged.
 */
export function formatJson(value: unknown): string {
  return `${escapeInQuotes(JSON.stringify(value, undefined, 2))}\n`;
}

/** Escapes control characters except line ends in a JSON or YAML text that has them only in double-quoted strings. */
export function escapeInQuotes(text: string): string {
  return text.replaceAll(controls, (character) =>
    character === '\n' ? character : escapeCode(character.charCodeAt(0)),
  );
}

/** Whether a text contains control characters. */
export function hasControls(text: string): boolean {
  return text.search(controls) >= 0;
}

function escapeCode(code: number): string {
  return String.raw`\u` + code.toString(16).padStart(4, '0');
}

const prefixes = [
  { symbol: 'G', factor: 1e9 },
  { symbol: 'M', factor: 1e6 },
  { symbol: 'k', factor: 1e3 },
  { symbol: '', factor: 1 },
  { symbol: 'm', factor: 1e-3 },
  { symbol: 'µ', factor: 1e-6 },
];

/**
 * A quantity for people, with four digits and a suitable prefix: `1.235 kJ`, `12.30 W`, `120.0 ms`; `-` for
 * NaN. Seconds get no k.
 */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size < 5e-7) return `0 ${unit}`;
  const usable = unit === 's' ? prefixes.filter(({ factor }) => factor <= 1) : prefixes;
  // A value that rounds to a prefix gets it.
  const { symbol, factor } =
    usable.find((prefix) => size >= prefix.factor * 0.99995) ?? elementAt(prefixes, prefixes.length - 1);
  return `${formatDigits(value / factor)} ${symbol}${unit}`;
}

/** A ratio for people: `53.4 %`, `187 %`; `-` for NaN. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '-';
  const percent = ratio * 100;
  return `${percent.toFixed(percent < 99.95 ? 1 : 0)} %`;
}

/** Bytes for people, in powers of ten: `13.48 MB`. */
export function formatSize(bytes: number): string {
  return formatValue(bytes, 'B');
}

function formatDigits(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.95) return value.toFixed(0);
  if (size >= 99.995) return value.toFixed(1);
  return value.toFixed(size >= 9.9995 ? 2 : 3);
}
