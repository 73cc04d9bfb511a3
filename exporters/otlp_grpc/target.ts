import { parseEndpoint, hideCredentials } from '../../src/config/endpoint.js';

/** Where requests go. */
export interface Target {
  /** As grpc-js wants it. */
  readonly address: string;
  readonly isInsecure: boolean;
}

/**
 * Takes an endpoint apart, by the Collector's rules: a scheme goes before `insecure`.
 * @throws Error when it is none
 */
export function parseTarget(endpoint: string, insecure: boolean): Target {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/u.exec(endpoint) ?? [];
  const isInsecure = scheme === undefined ? insecure : scheme === 'http';
  // grpc-js resolves names of its own: several addresses behind one name, sockets of this machine.
  if (/^(?:dns|unix|ipv4|ipv6):/u.test(rest)) return { address: rest, isInsecure };
  if (parseEndpoint(rest).host === '') {
    throw new Error(
      `Cannot parse endpoint "${hideCredentials(endpoint)}": expected a host before the port, found none`,
    );
  }
  return { address: rest, isInsecure };
}

/** Why this is no endpoint; undefined when it is one. */
export function findEndpointProblem(endpoint: string): string | undefined {
  try {
    parseTarget(endpoint, false);
    return undefined;
  } catch {
    return `expected host:port such as "localhost:4317", found "${hideCredentials(endpoint)}"`;
  }
}
