import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Log } from '../component/log.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError } from '../errors.js';
import { describeReadError, readRegularFile } from '../linux/regular-file.js';

/** Maximum size of a certificate file: those of all public authorities together take about 220 kB. */
const maxPemBytes = 4 * 1024 * 1024;

/** TLS settings of a client, with the Collector's names. */
export const tlsSettings = {
  ca_file: {
    doc: "Certificates of the authorities that are trusted to sign the server's certificate, PEM. Unset: the public authorities that Node trusts.",
    format: 'path',
    reads: 'certificates',
    default: null,
  },
  cert_file: {
    doc: 'Certificate with which this collector identifies itself to the server, PEM.',
    format: 'path',
    reads: 'certificates',
    default: null,
  },
  key_file: { doc: 'Key of that certificate, PEM.', format: 'path', reads: 'private_key', default: null },
  server_name_override: {
    doc: "Name that the server's certificate must have, if it is not the endpoint's host.",
    format: 'string',
    default: null,
  },
  insecure_skip_verify: {
    doc: 'Whether to accept any certificate of the server. A warning is logged, because any machine on the way can then read and change what is sent.',
    format: 'boolean',
    default: false,
  },
  reload_interval: {
    doc: 'Minimum time between two checks of the files for changes. They are checked when a connection is opened; 0: at every connection.',
    format: 'duration',
    default: '0s',
  },
} as const satisfies Schema;

/** The same for protocols whose addresses do not show whether TLS is used. */
export const optionalTlsSettings = {
  insecure: {
    doc: 'Whether to connect without TLS. Unset: without TLS, unless a certificate, `server_name_override` or `insecure_skip_verify` is set.',
    format: 'boolean',
    default: null,
  },
  ...tlsSettings,
} as const satisfies Schema;

/** As in the Collector, any TLS setting enables TLS. */
export function usesTls({ insecure, ...files }: ConfigOf<typeof optionalTlsSettings>): boolean {
  if (insecure !== null) return !insecure;
  const { ca_file: ca, cert_file: cert, server_name_override: name } = files;
  return ca !== null || cert !== null || name !== null || files.insecure_skip_verify;
}

export type TlsConfig = ConfigOf<typeof tlsSettings>;

/** Validates settings that depend on each other. */
export function checkTlsConfig({ cert_file: cert, key_file: key }: TlsConfig): readonly string[] {
  if ((cert === null) === (key === null)) return [];
  return ['tls: expected cert_file and key_file together, found only one of them'];
}

/** A PEM file that a setting names. */
export interface TlsFile {
  /** For messages. */
  readonly setting: string;
  /** null: the setting is unset. */
  readonly path: string | null;
}

/** The files of one connection. */
export interface TlsFiles {
  readonly ca: TlsFile;
  readonly cert: TlsFile;
  readonly key: TlsFile;
}

/**
 * The files of a client's TLS settings.
 * @param host for the warning when the certificate of the server is not verified
 */
export function openTlsContext(tls: TlsConfig, host: string, log: Log): TlsContext {
  if (tls.insecure_skip_verify) {
    log.warn(`Any machine can pretend to be ${host}: tls.insecure_skip_verify accepts every certificate`);
  }
  const files = {
    ca: { setting: 'tls.ca_file', path: tls.ca_file },
    cert: { setting: 'tls.cert_file', path: tls.cert_file },
    key: { setting: 'tls.key_file', path: tls.key_file },
  };
  return new TlsContext(files, log, tls.reload_interval);
}

interface Contents {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/**
 * The TLS context of connections. The files are read again when a connection is opened; inconsistent files,
 * which are just being replaced, are not used.
 */
export class TlsContext {
  readonly #files: TlsFiles;
  readonly #log: Log;
  readonly #intervalMs: number;
  #contents: Contents;
  #context: SecureContext;
  #readAtMs = performance.now();
  #isBroken = false;

  /**
   * @param intervalMs minimum time between two checks of the files
   * @throws Error naming the setting and the file if it is unusable
   */
  constructor(files: TlsFiles, log: Log, intervalMs = 0) {
    this.#files = files;
    this.#log = log;
    this.#intervalMs = intervalMs;
    this.#contents = readContents(files);
    this.#context = createContext(files, this.#contents);
  }

  /** For the next connection. */
  current(): SecureContext {
    if (performance.now() - this.#readAtMs >= this.#intervalMs) this.#reload();
    return this.#context;
  }

  #reload(): void {
    this.#readAtMs = performance.now();
    try {
      const contents = readContents(this.#files);
      if (!areEqual(contents, this.#contents)) this.#replace(contents);
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken) this.#log.warn(`${describeError(error)}; connecting with the previous files`);
      this.#isBroken = true;
    }
  }

  #replace(contents: Contents): void {
    this.#context = createContext(this.#files, contents);
    this.#contents = contents;
    const { ca, cert, key } = this.#files;
    const names = [ca, cert, key].filter(({ path }) => path !== null).map(describeFile);
    this.#log.info(`Connecting with changed files from now on: ${names.join(', ')}`);
  }
}

function areEqual(a: Contents, b: Contents): boolean {
  return (['ca', 'cert', 'key'] as const).every(
    (part) => Buffer.compare(a[part] ?? none, b[part] ?? none) === 0,
  );
}

const none = Buffer.alloc(0);

function describeFile({ setting, path }: TlsFile): string {
  return `${setting} "${path}"`;
}

function readContents({ ca, cert, key }: TlsFiles): Contents {
  return { ca: readPemFile(ca), cert: readPemFile(cert), key: readPemFile(key) };
}

/** The content of the file that a setting names. @throws Error naming both */
export function readPemFile(file: TlsFile): Buffer | undefined {
  if (file.path === null) return undefined;
  try {
    return readRegularFile(file.path, maxPemBytes);
  } catch (error) {
    throw new Error(`Cannot read ${describeFile(file)}: ${describeReadError(error)}`, { cause: error });
  }
}

/** @throws Error naming the file that a start would refuse, with the reason */
export function checkTlsFiles(files: TlsFiles): void {
  createContext(files, readContents(files));
}

function createContext(files: TlsFiles, contents: Contents): SecureContext {
  checkCertificates(files.ca, contents.ca);
  checkCertificates(files.cert, contents.cert);
  try {
    return createSecureContext(contents);
  } catch (error) {
    const pair = `${describeFile(files.cert)} with ${describeFile(files.key)}`;
    throw new Error(`Cannot use ${pair}: ${describeError(error)}`, { cause: error });
  }
}

/** OpenSSL would accept the readable part of a partly written file, and an empty one. */
export function checkCertificates(file: TlsFile, content: Buffer | undefined): void {
  if (content === undefined) return;
  const text = content.toString('latin1');
  const begun = text.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/gu)?.length ?? 0;
  const whole =
    text.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----[^-]*-----END [A-Z0-9 ]*CERTIFICATE-----/gu) ?? [];
  if (whole.length === 0 || whole.length < begun) {
    throw new Error(
      `Cannot use ${describeFile(file)}: expected whole certificates in PEM, found ${whole.length} of ${begun}`,
    );
  }
  for (const pem of whole) checkCertificate(file, pem);
}

function checkCertificate(file: TlsFile, pem: string): void {
  try {
    void new X509Certificate(pem);
  } catch (error) {
    throw new Error(`Cannot use ${describeFile(file)}: ${describeError(error)}`, { cause: error });
  }
}
