/** The position of a piece of configuration. */
export interface Origin {
  /** The file as the user named it, or the option: `--set a.b=c`. */
  readonly source: string;
  /** Counted from 1. Absent for options. */
  readonly line?: number;
  readonly column?: number;
}

/** A mistake in a configuration. */
export interface Problem {
  readonly origin?: Origin | undefined;
  /** Dotted path of the setting; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** `config.yaml:12:5: receivers.rapl.zonnes: unknown setting, did you mean "zones"?` */
export function describeProblem({ origin, path, message }: Problem): string {
  const place = origin && [origin.source, origin.line, origin.column].filter((part) => part !== undefined);
  return [place?.join(':'), path, message].filter((part) => part !== undefined && part !== '').join(': ');
}

/** An invalid configuration, with all its problems. The command line exits with code 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}
