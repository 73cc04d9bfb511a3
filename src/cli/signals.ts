import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { readTerminal, RepeatedSignal } from '../linux/ending-signal.js';
import { isIn, noteInherited } from '../linux/inherited.js';

/** What ended the wait. SIGHUP does only where this process's terminal has gone. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const endingSignals: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Whether this process is used through a terminal, and ends with it, like every other program. */
const endsWithTerminal =
  readTerminal() !== undefined && [0, 1, 2].some((fd) => isatty(fd)) && !isHangUpIgnored();

/** As nohup and `trap '' HUP` want it; where that is not known, nohup takes the terminal from the standard streams. */
function isHangUpIgnored(): boolean {
  return isIn(noteInherited().ignoredSignals, constants.signals.SIGHUP);
}

/** Nothing was started that had to be ended in order. */
function leave(signal: NodeJS.Signals): void {
  if (signal !== 'SIGHUP') process.exit(0);
  if (isTerminalLost()) endByHangUp();
}

/**
 * Ends this process as SIGHUP ends any other. Not by an exit code: Node aborts at its exit when it cannot give a
 * terminal that has gone its settings back.
 */
export function endByHangUp(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

function isTerminalLost(): boolean {
  return endsWithTerminal && readTerminal() === undefined;
}

/**
 * Ends at once at a signal, until `waitForEnd` is called. Without that the signal would end the process
 * as well, but not the first one of a container, for which the kernel ignores signals without a handler.
 */
export function leaveOnSignal(): void {
  for (const signal of endingSignals) process.on(signal, leave);
}

/**
 * Waits for a signal to end. Another one leaves at once, with the exit code that shells give that signal.
 * @param onHangUp called at each SIGHUP that does not end this process: its terminal is still there, or it has none
 */
export function waitForEnd(onHangUp?: () => void): Promise<EndingSignal> {
  return new Promise((resolve) => {
    const repeated = new RepeatedSignal();
    const onSignal = (signal: EndingSignal, number: number) => {
      if (signal === 'SIGHUP' && !isTerminalLost()) return onHangUp?.();
      if (repeated.note(signal)) process.exit(128 + number);
      resolve(signal);
    };
    for (const signal of endingSignals) process.on(signal, onSignal).off(signal, leave);
  });
}
