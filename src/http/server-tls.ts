import { createSecureContext, type SecureVersion } from 'node:tls';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError } from '../errors.js';
import { readFileStamp } from '../linux/regular-file.js';
import { checkCertificates, readPemFile } from './tls-files.js';

const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

const versions = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;
const versionNames = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const satisfies (keyof typeof versions)[];

/** The Collector's names, in the same order. */
const versionNumbers = ['1.0', '1.1', '1.2', '1.3'] as const;

/** TLS settings of a server, with Prometheus' names: `tls_server_config` of a web configuration. */
export const webTlsSettings = {
  cert_file: { doc: 'Certificate of the server, PEM.', format: 'path', reads: 'certificates', default: null },
  key_file: { doc: 'Key of that certificate, PEM.', format: 'path', reads: 'private_key', default: null },
  client_auth_type: {
    doc: 'Whether clients show a certificate, and whether it is verified.',
    format: clientAuthTypes,
    default: 'NoClientCert',
  },
  client_ca_file: {
    doc: 'Certificates of the authorities that may have signed those of clients, PEM.',
    format: 'path',
    reads: 'certificates',
    default: null,
  },
  min_version: { doc: 'Oldest TLS version that is accepted.', format: versionNames, default: 'TLS12' },
  max_version: { doc: 'Newest TLS version that is accepted.', format: versionNames, default: 'TLS13' },
} as const satisfies Schema;

export type WebTlsConfig = ConfigOf<typeof webTlsSettings>;

/** TLS settings of a server, with the Collector's names. */
export const serverTlsSettings = {
  cert_file: { doc: 'Certificate of the server, PEM.', format: 'path', reads: 'certificates', default: null },
  key_file: { doc: 'Key of that certificate, PEM.', format: 'path', reads: 'private_key', default: null },
  client_ca_file: {
    doc: 'Certificates of the authorities that must have signed the certificates of clients, PEM. Unset: clients need no certificate.',
    format: 'path',
    reads: 'certificates',
    default: null,
  },
  min_version: {
    doc: 'Oldest TLS version that is accepted.',
    format: versionNumbers,
    default: '1.2',
  },
  max_version: {
    doc: 'Newest TLS version that is accepted.',
    format: versionNumbers,
    default: '1.3',
  },
} as const satisfies Schema;

export type ServerTlsConfig = ConfigOf<typeof serverTlsSettings>;

/** The certificate of a server, and its requirements for clients. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly clientAuth: (typeof clientAuthTypes)[number];
}

/** Converts settings with the Collector's names to Prometheus' names. */
export function toWebTls(settings: ServerTlsConfig): WebTlsConfig {
  const { client_ca_file: ca, min_version: min, max_version: max } = settings;
  return {
    ...settings,
    client_auth_type: ca === null ? 'NoClientCert' : 'RequireAndVerifyClientCert',
    min_version: versionOf(min),
    max_version: versionOf(max),
  };
}

function versionOf(version: ServerTlsConfig['min_version']): WebTlsConfig['min_version'] {
  return versionNames[versionNumbers.indexOf(version)] ?? 'TLS12';
}

/** The TLS of a server, and its source files. */
export interface LoadedTls {
  readonly tls: ServerTls;
  readonly files: readonly string[];
  /** Stamps of the files, taken before they were read. */
  readonly stamps: readonly string[];
}

/**
 * @param setting the one that holds these, for messages
 * @throws Error naming the unusable setting or file, with the reason
 */
export function loadServerTls(settings: WebTlsConfig, setting: string): LoadedTls {
  const { cert_file: cert, key_file: key, client_ca_file: ca } = settings;
  const files = [cert, key, ca].filter((file) => file !== null);
  const stamps = files.map(readFileStamp);
  return { tls: loadTls(settings, setting), files, stamps };
}

function loadTls(settings: WebTlsConfig, setting: string): ServerTls {
  const files = {
    cert: { setting: `${setting}.cert_file`, path: settings.cert_file },
    key: { setting: `${setting}.key_file`, path: settings.key_file },
    ca: { setting: `${setting}.client_ca_file`, path: settings.client_ca_file },
  };
  const contents = { cert: readPemFile(files.cert), key: readPemFile(files.key), ca: readPemFile(files.ca) };
  if (!contents.cert || !contents.key) {
    throw new Error(`Cannot use ${setting}: expected cert_file and key_file, found at most one of them`);
  }
  const { client_auth_type: clientAuth, min_version: min, max_version: max } = settings;
  if (clientAuth.includes('Verify') && !contents.ca) {
    throw new Error(
      `Cannot use ${setting}: expected client_ca_file for client_auth_type ${clientAuth}, found none`,
    );
  }
  checkCertificates(files.cert, contents.cert);
  checkCertificates(files.ca, contents.ca);
  const tls = {
    cert: contents.cert,
    key: contents.key,
    ca: contents.ca,
    minVersion: versions[min],
    maxVersion: versions[max],
    clientAuth,
  };
  tryContext(tls, setting);
  return tls;
}

function tryContext({ cert, key, ca, minVersion, maxVersion }: ServerTls, setting: string): void {
  try {
    createSecureContext({ cert, key, ca, minVersion, maxVersion });
  } catch (error) {
    throw new Error(`Cannot use ${setting}.cert_file with key_file: ${describeError(error)}`, {
      cause: error,
    });
  }
}
