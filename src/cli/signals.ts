/** What ended the wait. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const endingSignals: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** npm passes a terminal's Ctrl-C on to a program that got it from the terminal already. */
const doubledWithinMs = 1000;

/** Nothing was started that had to be ended in order. */
function leave(): void {
  process.exit(0);
}

/**
 * Ends at once when a signal says so, until `waitForEnd` is called. Without that the signal would end the process
 * as well, but not the first one of a container, for which the kernel ignores signals that nobody handles.
 */
export function leaveOnSignal(): void {
  for (const signal of endingSignals) process.on(signal, leave);
}

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
    for (const signal of endingSignals) process.on(signal, onSignal).off(signal, leave);
  });
}
