/** Messages of libraries when the server uses another protocol, and their meaning. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/wrong version number/u, 'the backend does not speak TLS at this port'],
  [/Protocol error/u, 'the backend does not speak gRPC at this port, or only with TLS'],
  [
    /Parse Error/u,
    'the backend does not speak HTTP at this port, or only with TLS; OTLP over gRPC is mostly 4317, over HTTP 4318',
  ],
];

/** How a server that expects TLS ends a connection without TLS. */
const closedAtOnce =
  /No connection established\. Last error: (?:Failed to connect|read ECONNRESET)|^(?:socket hang up|read ECONNRESET)$/u;

/**
 * Describes why a connection failed, so that the wrong setting can be found; other messages are unchanged.
 * @param message the library's message, which may be OpenSSL's internal state
 * @param isFirstOfPlain whether it concerns the first exchange on a connection without TLS
 */
export function describeConnectionError(message: string, isFirstOfPlain = false): string {
  const [, meaning] = meanings.find(([pattern]) => pattern.test(message)) ?? [];
  // grpc-js adds the heading of a note even without a note.
  const text = meaning ?? message.replace(/\.?\s*Resolution note:\s*$/u, '');
  if (!isFirstOfPlain || !closedAtOnce.test(text)) return text;
  return `the backend closed the connection at once, as one does that wants TLS at this port: ${text}`;
}

/** For messages: how long the server asked to wait; empty if it did not. */
export function describeRetryAfter(ms: number | undefined): string {
  return ms === undefined ? '' : `, asks to wait ${Math.ceil(ms / 1000)} s`;
}

const longestText = 200;

/** Foreign text, made to fit into a line of the log. */
export function cleanText(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e]+/gu, ' ')
    .trim()
    .slice(0, longestText);
}
