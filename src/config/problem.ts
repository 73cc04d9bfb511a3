/** Where a piece of configuration was written. */
export interface Origin {
  /** The file as the user named it, or the option that held it: `--set a.b=c`. */
  readonly source: string;
  /** Counted from 1. Absent where there is no file. */
  readonly line?: number;
  readonly column?: number;
}

/** Something wrong in a configuration. */
export interface Problem {
  readonly origin?: Origin | undefined;
  /** Dotted path of the setting, empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `config.yaml:12:5: receivers.rapl.zonnes: unknown setting, did you mean "zones"?` */
export function describeProblem({ origin, path, message }: Problem): string {
  const place = origin && [origin.source, origin.line, origin.column].filter((part) => part !== undefined);
  return [place?.join(':'), path, message].filter((part) => part !== undefined && part !== '').join(': ');
}

/** A configuration that cannot be used, with everything that is wrong with it. The command line exits with 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}
