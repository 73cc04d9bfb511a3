import type { Writable } from 'node:stream';

/** Where text for people goes: a terminal, a pipe, a file. */
export interface Output {
  /**
   * Writes a text, or leaves it out where the reader is gone or far behind: no caller waits for it, and memory is
   * bounded.
   * @returns whether it was written
   */
  write(text: string): boolean;
}

const maxPendingBytes = 1024 * 1024;

const failed = new WeakMap<Writable, { hasFailed: boolean }>();

/** An output on a stream that others may write to as well, say `process.stderr`. A closed one is no crash. */
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

/** The listener stays for good: an EPIPE can come after the last writer went. */
function guard(stream: Writable): { readonly hasFailed: boolean } {
  const known = failed.get(stream);
  if (known) return known;
  const state = { hasFailed: false };
  failed.set(stream, state);
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // A disk that is full may have room again.
    state.hasFailed ||= code !== 'ENOSPC';
  });
  return state;
}
