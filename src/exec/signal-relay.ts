import { constants } from 'node:os';
import { readTerminal, RepeatedSignal } from '../linux/ending-signal.js';
import { hasSignal, noteInherited } from '../linux/inherited.js';

const ending = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const relayed = [...ending, 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

type Relayed = (typeof relayed)[number];

/** A signal arrived while no command was running. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  /** As in shells: 128 + n. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Forwards the signals of this process to the running command, except those that a terminal has sent to the
 * command as well. While no command runs, ending signals are kept.
 */
export class SignalRelay {
  /** Sends a signal to the command, if one is running. */
  target: ((signal: NodeJS.Signals) => void) | undefined;
  readonly #aborter = new AbortController();
  readonly #hadTerminal = readTerminal() !== undefined;
  readonly #repeated = new RepeatedSignal();
  #isFinishing = false;

  constructor() {
    const { ignoredSignals } = noteInherited();
    // Ignored signals are not caught: they are not forwarded.
    const caught = relayed.filter((signal) => !hasSignal(ignoredSignals, constants.signals[signal]));
    for (const signal of caught) process.on(signal, this.#receive);
  }

  /** Aborted by the first ending signal, whichever process received it; the reason is an InterruptedError. */
  get interruption(): AbortSignal {
    return this.#aborter.signal;
  }

  /** No command will follow: a further signal may end this process at once. */
  finish(): void {
    this.#isFinishing = true;
  }

  /** Restores the default effect of signals. */
  close(): void {
    for (const signal of relayed) process.off(signal, this.#receive);
  }

  readonly #receive = (signal: NodeJS.Signals): void => {
    if (this.target && !this.#isFromTerminal(signal)) this.target(signal);
    if (isEnding(signal)) this.#noteEnding(signal);
  };

  #noteEnding(signal: NodeJS.Signals): void {
    const isRepeated = this.#repeated.note(signal);
    if (this.#isFinishing && isRepeated) process.exit(128 + constants.signals[signal]);
    this.#aborter.abort(new InterruptedError(signal));
  }

  /** A terminal signals every process of its foreground group; the command is in the group of this process. */
  #isFromTerminal(signal: NodeJS.Signals): boolean {
    const terminal = readTerminal();
    if (signal === 'SIGHUP') return this.#hadTerminal && terminal === undefined;
    const keys: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];
    return keys.includes(signal) && terminal?.isForeground === true;
  }
}

function isEnding(signal: NodeJS.Signals): boolean {
  return ending.some((name: Relayed) => name === signal);
}
