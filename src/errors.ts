/** The source is not here or may not be read. The component is left out where the configuration allows it. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** Options of the command line that are unknown or do not fit together. The program exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What is wrong, each on a line of its own. */
  readonly problems: readonly string[];

  constructor(problem: string | readonly string[], options?: ErrorOptions) {
    const problems = [problem].flat();
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

/** What a failed delivery means for its request; see the fields of `ExportError`. */
export interface ExportErrorOptions {
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly isTooLarge?: boolean;
  readonly cause?: unknown;
}

/** A request could not be delivered. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  /** Whether sending it again can help. */
  readonly retryable: boolean;
  /** How long the receiver of the request asked to wait, if it did. */
  readonly retryAfterMs: number | undefined;

  /** Whether it was refused for its size alone, so that a part of it may be taken. */
  readonly isTooLarge: boolean;

  constructor(message: string, options: ExportErrorOptions) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.isTooLarge = options.isTooLarge ?? false;
  }
}

/** No descriptor was free, in this process or on the machine: that says nothing about the file that was to be opened. */
const exhaustionRemedies: ReadonlyMap<unknown, string> = new Map([
  ['EMFILE', 'raise the limit of open files: LimitNOFILE= in a systemd unit, ulimit -n in a shell'],
  ['ENFILE', "raise the machine's limit of open files: sysctl fs.file-max"],
]);

/** What Node adds from version 24 on: an option of its own, where settings of ours say which authorities are trusted. */
const nodeAdvice = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/u;

/**
 * What went wrong, in one line, whatever was thrown. Where it is that descriptors have run out, which can happen
 * wherever a file or a socket is opened, the remedy follows.
 */
export function describeError(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(nodeAdvice, '');
  const remedy = findExhaustionRemedy(error);
  return remedy === undefined || message.includes(remedy) ? message : `${message}; ${remedy}`;
}

/** The code of an error of the system or of Node, `ENOENT`; undefined where it has none. */
export function findErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The code of an error alone, since its message would repeat the path; what has no code, in words. */
export function describeCode(error: unknown): string {
  return findErrorCode(error) ?? describeError(error);
}

/** Several errors in one line; what is the same, such as the remedy for descriptors that have run out, only once. */
export function describeErrors(errors: readonly unknown[], separator = '; '): string {
  let text = [...new Set(errors.map(describeError))].join(separator);
  for (const remedy of exhaustionRemedies.values()) {
    if (text.includes(`; ${remedy}`)) text = `${text.replaceAll(`; ${remedy}`, '')}; ${remedy}`;
  }
  return text;
}

/** Whether the reason is that no descriptor was free. */
export function isOutOfDescriptors(error: unknown): boolean {
  return findExhaustionRemedy(error) !== undefined;
}

function findExhaustionRemedy(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return exhaustionRemedies.get(findErrorCode(error)) ?? findExhaustionRemedy(error.cause);
}
