import type { Schema } from '../component/schema.js';

/** The setting of every server, to be spread into its schema. */
export const webConfigSettings = {
  web_config_file: {
    doc: "File with TLS and users for this endpoint, in the format of Prometheus' web configuration; read again when it changes. Unset: plain HTTP, without users.",
    format: 'path',
    default: null,
  },
} as const satisfies Schema;

/** Where a server listens or is reached. An empty host means every interface. */
export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/**
 * Takes `host:port`, `[::1]:port` or `:port` apart.
 * @throws Error when it is none of these
 */
export function parseEndpoint(text: string): Endpoint {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^\s/[\]:]*)):(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(`Cannot parse endpoint: expected host:port, [::1]:port or :port, found "${text}"`);
  }
  return { host: bracketed ?? plain, port };
}

/** An address, for messages, without the user and password that may stand before its host. */
export function hideCredentials(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/iu, '$1[REDACTED]@');
}
