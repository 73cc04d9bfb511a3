/** The source is not here or may not be read. The component is left out where the configuration allows it. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
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

/** What went wrong, in one line, whatever was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
