import type { Schema } from '../component/schema.js';

/** The web configuration setting of every server, to be spread into its schema. */
export const webConfigSettings = {
  web_config_file: {
    doc: "File with TLS settings and users for this endpoint, in the format of Prometheus' web configuration; read again when it changes. Unset: plain HTTP without users.",
    format: 'path',
    reads: 'web_config',
    default: null,
  },
} as const satisfies Schema;

/** The address of a server, for listening or connecting. An empty host means every interface. */
export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/**
 * Parses `host:port`, `[::1]:port` or `:port`.
 * @throws Error if the text is invalid
 */
export function parseEndpoint(text: string): Endpoint {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^\s/[\]:]*)):(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(`Cannot parse endpoint: expected host:port, [::1]:port or :port, found "${text}"`);
  }
  return { host: bracketed ?? plain, port };
}

/** A URL with a path appended to its own, whether or not that ends with a slash. @param path begins with a slash */
export function appendPath(base: string, path: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/u, '') + path;
  return url;
}

/** `host:port` from an endpoint that may be written as a URL, as OpenTelemetry's variables have it. */
export function withoutScheme(endpoint: string): string {
  return endpoint.replace(/^https?:\/\//u, '').replace(/\/$/u, '');
}

/** An address for messages, without a user and password in front of its host. */
export function hideCredentials(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/iu, '$1[REDACTED]@');
}
