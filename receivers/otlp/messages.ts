import { MessageWriter } from '../../src/otlp/wire.js';

// Responses of a server, as defined in google/rpc/status.proto and metrics_service.proto.

/** The values of google.rpc.Code that are used. */
export const codes = {
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Why a request failed. */
export interface Status {
  readonly code: number;
  readonly message: string;
  /** When the request may be repeated; undefined: not specified. */
  readonly retryAfterSeconds?: number;
}

const retryInfoType = 'type.googleapis.com/google.rpc.RetryInfo';
const writer = new MessageWriter();

export function encodeStatus({ code, message, retryAfterSeconds }: Status): Buffer {
  writer.integer(1, code).text(2, message);
  if (retryAfterSeconds !== undefined) {
    const any = writer.begin(3);
    const retryInfo = writer.text(1, retryInfoType).begin(2);
    const delay = writer.begin(1);
    writer.integer(1, retryAfterSeconds).end(delay).end(retryInfo).end(any);
  }
  return writer.finish();
}

export function formatStatus({ code, message, retryAfterSeconds }: Status): string {
  const details =
    retryAfterSeconds === undefined
      ? {}
      : { details: [{ '@type': retryInfoType, retryDelay: `${retryAfterSeconds}s` }] };
  return JSON.stringify({ code, message, ...details });
}

/** An ExportMetricsServiceResponse; empty if every point was accepted. */
export function encodeResponse(rejected: number, message: string): Buffer {
  if (rejected === 0) return Buffer.alloc(0);
  const partial = writer.begin(1);
  return writer.integer(1, rejected).text(2, message).end(partial).finish();
}

export function formatResponse(rejected: number, message: string): string {
  if (rejected === 0) return '{}';
  return JSON.stringify({ partialSuccess: { rejectedDataPoints: String(rejected), errorMessage: message } });
}
