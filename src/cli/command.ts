/** One command of the command line. Its file exports it as `command`. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `joulemetry COMMAND --help` prints. */
  readonly usage: string;
  /**
   * How many of the arguments belong to this program; the rest may contain another program's --help. By default
   * all.
   */
  readonly countOwn?: (args: readonly string[]) => number;
  /**
   * Whether it starts another program with as little delay as possible: opening the standard streams takes 3
   * ms, so it calls `surviveBadOutput` itself when it writes.
   */
  readonly isWrapper?: boolean;
  /**
   * Runs the command.
   * @param args arguments after the command's name
   * @returns the exit code
   * @throws UsageError, ConfigurationError or Error, whose message is all that a user sees
   */
  run(args: readonly string[]): Promise<number>;
}

/** Exit codes of the collector; `exec` returns those of its command. */
export const exitCodes = { success: 0, failure: 1, usage: 2 } as const;
