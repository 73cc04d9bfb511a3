import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { readTerminal, RepeatedSignal } from '../linux/ending-signal.js';
import { hasSignal, noteInherited } from '../linux/inherited.js';

/** Signals that end the wait. SIGHUP does only if the terminal of this process is gone. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const endingSignals: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Whether this process is used through a terminal, and ends with it like every other program. */
const endsWithTerminal =
  readTerminal() !== undefined && [0, 1, 2].some((fd) => isatty(fd)) && !isHangUpIgnored();

/**
 * As set by nohup and `trap '' HUP`; where that is unknown, nohup is recognized by standard streams that are
 * not the terminal.
 */
function isHangUpIgnored(): boolean {
  return hasSignal(noteInherited().ignoredSignals, constants.signals.SIGHUP);
}

/** Nothing was started yet that would have to be stopped in order. */
function leave(signal: NodeJS.Signals): void {
  if (signal !== 'SIGHUP') process.exit(0);
  if (isTerminalLost()) endByHangUp();
}

/**
 * Ends this process as SIGHUP ends any other. Not with an exit code: Node aborts at exit when it cannot restore
 * the settings of a terminal that is gone.
 */
export function endByHangUp(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

function isTerminalLost(): boolean {
  return endsWithTerminal && readTerminal() === undefined;
}

/**
 * Exits immediately on a signal, until `waitForEnd` is called. Without that, a signal would end the process as
 * well, but not the first process of a container, for which the kernel ignores signals without a handler.
 */
export function leaveOnSignal(): void {
  for (const signal of endingSignals) process.on(signal, leave);
}

/**
 * Waits for an ending signal. A second one exits immediately, with the exit code that shells use for that
 * signal.
 * @param onHangUp called at each SIGHUP that does not end this process: its terminal is still there, or it has
 * none
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
