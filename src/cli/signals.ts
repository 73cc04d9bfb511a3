/** What ended the wait. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const endingSignals: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** npm passes a terminal's Ctrl-C on to a program that got it from the terminal already. */
const doubledWithinMs = 1000;

/**
 * Waits for a signal to end. Another one more than a second later leaves at once, with the exit code that
 * shells give that signal.
 */
export function waitForEnd(): Promise<EndingSignal> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (signal: EndingSignal, number: number) => {
      firstMs ??= performance.now();
      if (performance.now() - firstMs > doubledWithinMs) process.exit(128 + number);
      resolve(signal);
    };
    for (const signal of endingSignals) process.on(signal, onSignal);
  });
}
