/** The source is not here or may not be read. The component is left out where the configuration allows it. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** A request could not be delivered. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
  /** Whether sending it again can help. */
  readonly retryable: boolean;
  /** How long the receiver of the request asked to wait, if it did. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: { retryable: boolean; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What went wrong, in one line, whatever was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
