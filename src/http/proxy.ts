import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { hideCredentials } from '../config/endpoint.js';
import { basicAuthorization } from './headers.js';

/** A proxy for HTTP. */
export interface HttpProxy {
  /** For messages: scheme, host and port. */
  readonly address: string;
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
  /** `user:password`; undefined: none. */
  readonly credentials: string | undefined;
}

/**
 * The proxy that HTTPS_PROXY or HTTP_PROXY names for an address, unless NO_PROXY excludes it, by the rules of
 * Go (golang.org/x/net/http/httpproxy): upper-case variables have precedence; the host `localhost` and loopback
 * addresses never use a proxy.
 * @throws Error naming the variable that is not a proxy address
 */
export function findProxy({ protocol, hostname, port }: URL, env: NodeJS.ProcessEnv): HttpProxy | undefined {
  const isTls = protocol === 'https:';
  const variable = findVariable(env, isTls ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (variable === undefined) return undefined;
  const host = hostname
    .replace(/^\[(.*)\]$/u, '$1')
    .replace(/\.$/u, '')
    .toLowerCase();
  const target = { host, port: port || (isTls ? '443' : '80') };
  const exceptions = findVariable(env, 'NO_PROXY')?.text ?? '';
  if (
    isLocal(host) ||
    exceptions.split(',').some((entry) => isExcepted(entry.trim().toLowerCase(), target))
  ) {
    return undefined;
  }
  return parseProxy(variable.text, variable.name);
}

/**
 * Parses a proxy address: `http://` or `https://`, optionally user and password, host and port.
 * @param setting for messages: its source
 * @throws Error naming the setting
 */
export function parseProxy(text: string, setting: string): HttpProxy {
  // As in Go, the default scheme is http.
  const address = /^[a-z][a-z0-9+.-]*:\/\//iu.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || url.hostname === '' || !/^https?:$/u.test(url.protocol)) {
    throw new Error(
      `Cannot use ${setting}: expected http://host:port or https://host:port, found "${hideCredentials(text)}"`,
    );
  }
  const isTls = url.protocol === 'https:';
  return {
    address: url.origin,
    isTls,
    host: url.hostname.replace(/^\[(.*)\]$/u, '$1'),
    port: Number(url.port || (isTls ? 443 : 80)),
    credentials: readCredentials(url, setting),
  };
}

/** The proxy's Authorization header. */
export function proxyAuthorization({ credentials }: HttpProxy): Readonly<Record<string, string>> {
  if (credentials === undefined) return {};
  return { 'Proxy-Authorization': basicAuthorization(credentials) };
}

function readCredentials({ username, password }: URL, setting: string): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    return decodeURIComponent(`${username}:${password}`);
  } catch (error) {
    const expected = 'expected % in user and password to be written as %25';
    throw new Error(`Cannot use ${setting}: ${expected}`, { cause: error });
  }
}

function findVariable(env: NodeJS.ProcessEnv, name: string): { name: string; text: string } | undefined {
  for (const variant of [name, name.toLowerCase()]) {
    const text = env[variant]?.trim();
    if (text !== undefined && text !== '') return { name: variant, text };
  }
  return undefined;
}

function isLocal(host: string): boolean {
  return (
    host === 'localhost' ||
    host === '::1' ||
    host.startsWith('::ffff:7f') ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}

interface ProxyTarget {
  readonly host: string;
  readonly port: string;
}

/**
 * Whether an entry of NO_PROXY matches the target: `*`, a network, an IP or a domain, the latter two optionally
 * with a port.
 */
function isExcepted(entry: string, { host, port }: ProxyTarget): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(entry, host);
  const { name, entryPort } = splitEntry(entry);
  if (entryPort && entryPort !== port) return false;
  if (isIP(name) !== 0)
    return isIP(host) !== 0 && isInNetwork(`${name}/${isIP(name) === 4 ? 32 : 128}`, host);
  return isInDomain(name, host);
}

function splitEntry(entry: string): { name: string; entryPort: string | undefined } {
  if (isIP(entry) !== 0) return { name: entry, entryPort: undefined };
  const [, bracketed, plain = entry, entryPort] = /^(?:\[(.*)\]|([^:]*))(?::(.*))?$/u.exec(entry) ?? [];
  return { name: bracketed ?? plain, entryPort };
}

/** `example.com` matches itself and its subdomains, `.example.com` and `*.example.com` only subdomains. */
function isInDomain(name: string, host: string): boolean {
  const suffix = name.replace(/^\*(?=\.)/u, '');
  if (suffix === '') return false;
  if (suffix.startsWith('.')) return host.endsWith(suffix);
  const ascii = domainToASCII(suffix) || suffix;
  return host === ascii || host.endsWith(`.${ascii}`);
}

function isInNetwork(network: string, host: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  const family = isIP(address);
  const prefix = Number(bits);
  if (family === 0 || isIP(host) === 0 || !/^\d+$/u.test(bits) || prefix > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/** For messages: an address and its proxy. */
export function describeRoute(address: string, proxy: HttpProxy | undefined): string {
  return proxy ? `${address} through the proxy ${proxy.address}` : address;
}
