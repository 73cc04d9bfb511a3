/** What the libraries say when the other side answers in another protocol, and what that means. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/wrong version number/u, 'the backend does not speak TLS at this port'],
  [/Protocol error/u, 'the backend does not speak gRPC at this port, or only with TLS'],
  [
    /Parse Error/u,
    'the backend does not speak HTTP at this port, or only with TLS; OTLP over gRPC is mostly 4317, over HTTP 4318',
  ],
];

/** How a server that expects TLS ends a connection that begins without. */
const closedAtOnce =
  /No connection established\. Last error: (?:Failed to connect|read ECONNRESET)|^(?:socket hang up|read ECONNRESET)$/u;

/**
 * Says why a connection failed in words that lead to the setting that is wrong; other messages stay as they are.
 * @param message what the library said, which may be OpenSSL's inner state
 * @param isFirstOfPlain whether it is about the first exchange of a connection without TLS
 */
export function describeConnectionError(message: string, isFirstOfPlain = false): string {
  const [, meaning] = meanings.find(([pattern]) => pattern.test(message)) ?? [];
  // grpc-js gives the heading of a note also where there is none.
  const text = meaning ?? message.replace(/\.?\s*Resolution note:\s*$/u, '');
  if (!isFirstOfPlain || !closedAtOnce.test(text)) return text;
  return `the backend closed the connection at once, as one does that wants TLS at this port: ${text}`;
}

/** For messages: how long the other side asked to wait; empty where it did not. */
export function describeRetryAfter(ms: number | undefined): string {
  return ms === undefined ? '' : `, asks to wait ${Math.ceil(ms / 1000)} s`;
}

const longestText = 200;

/** A text of the other side that fits into a line of the log. */
export function cleanText(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e]+/gu, ' ')
    .trim()
    .slice(0, longestText);
}
