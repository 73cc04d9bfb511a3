import { escapeControls } from '../component/output.js';

/** Writes messages for the user to stderr, one per line. */
export function writeMessage(...messages: readonly string[]): void {
  surviveBadOutput();
  process.stderr.write(messages.map((message) => `${escapeControls(message)}\n`).join(''));
}

/** Warns about a configuration that references a variable that is not set: its value is empty, as in the Collector. */
export function warnOfUnset(name: string): void {
  writeMessage(`Configuration references unset environment variable "${name}", its value is empty`);
}

let isGuarded = false;

/**
 * To be called before the standard streams are used: a reader that closes, such as `head`, is not an error. A
 * full disk is one, but an agent continues without its log. May be called repeatedly.
 */
export function surviveBadOutput(): void {
  if (isGuarded) return;
  isGuarded = true;
  let hasFailed = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE' || hasFailed) return;
      hasFailed = true;
      if (stream === process.stdout) writeMessage(`Cannot write to stdout: ${message}`);
    });
  }
  process.once('exit', () => {
    if (hasFailed) process.exitCode ||= 1;
  });
}
