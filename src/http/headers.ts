import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { parseEndpoint } from '../config/endpoint.js';
import { describeError } from '../errors.js';
import { validateHeaderName, validateHeaderValue } from './node-http.js';

/**
 * Validates configured headers.
 * @param path for messages: `headers`
 */
export function checkHeaders(headers: Readonly<Record<string, string>>, path: string): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      return [];
    } catch (error) {
      return [`${path}.${name}: ${describeError(error)}`];
    }
  });
}

/** The value of an authorization header for HTTP basic authentication (RFC 7617). @param credentials `user:password` */
export function basicAuthorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** How a request reached the server. */
export interface Arrival {
  /** Where the server listens, as configured. */
  readonly endpoint: string;
  /** Whether the connection came to a loopback address. */
  readonly isLocal: boolean;
}

/**
 * Whether a Host header names this server. Otherwise a web page whose owner points its name at 127.0.0.1 (DNS
 * rebinding) could read what is meant for this machine only: its browser sends that name. An IP address,
 * `localhost`, the name of this machine and that of the endpoint cannot be such a name. On other addresses,
 * which the operator chose to expose to the network, every name is accepted.
 * @param header undefined in HTTP/1.0, which browsers do not use
 */
export function isExpectedHost(header: string | undefined, { endpoint, isLocal }: Arrival): boolean {
  if (header === undefined || !isLocal) return true;
  const name = parseName(header);
  if (name === undefined) return false;
  const own = ['localhost', hostname().toLowerCase(), parseEndpoint(endpoint).host.toLowerCase()];
  return isIP(name) !== 0 || name.endsWith('.localhost') || own.includes(name);
}

/** The name or address of `name`, `name:port`, `[::1]:port`, in lower case and without a trailing dot. */
function parseName(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::\d*)?$/.exec(header.trim()) ?? [];
  const name = (bracketed ?? plain)?.toLowerCase();
  return name === undefined || name === '' ? undefined : name.replace(/\.$/, '');
}
