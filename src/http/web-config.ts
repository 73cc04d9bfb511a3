import { dirname, resolve } from 'node:path';
import { createSecureContext, type SecureVersion } from 'node:tls';
import type { Log } from '../component/log.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { nodeOf } from '../config/node.js';
import { parseYaml } from '../config/parse-yaml.js';
import { ConfigurationError, type Problem } from '../config/problem.js';
import { validateSettings } from '../config/settings.js';
import { convertYaml } from '../config/yaml-nodes.js';
import { describeError } from '../errors.js';
import { findCryptProblem, isBcryptHash } from '../linux/crypt.js';
import { describeReadError, readFileStamp, readRegularFile } from '../linux/regular-file.js';
import { checkHeaders } from './headers.js';
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

/** https://prometheus.io/docs/prometheus/latest/configuration/https/, without what Node leaves to OpenSSL. */
const schema = {
  tls_server_config: {
    doc: 'Serves by TLS only.',
    format: 'group',
    default: null,
    settings: {
      cert_file: { doc: 'Certificate of the server, PEM.', format: 'path', default: null },
      key_file: { doc: 'Key of that certificate, PEM.', format: 'path', default: null },
      client_auth_type: {
        doc: 'Whether clients show a certificate, and whether it is verified.',
        format: clientAuthTypes,
        default: 'NoClientCert',
      },
      client_ca_file: {
        doc: 'Certificates of the authorities that may have signed those of clients, PEM.',
        format: 'path',
        default: null,
      },
      min_version: { doc: 'Oldest version of TLS.', format: versionNames, default: 'TLS12' },
      max_version: { doc: 'Newest version of TLS.', format: versionNames, default: 'TLS13' },
    },
  },
  http_server_config: {
    http2: { doc: 'Accepted and without effect: HTTP/1.1 is served.', format: 'boolean', default: true },
    headers: { doc: 'Sent with every answer.', format: 'string_map', default: {} },
  },
  basic_auth_users: {
    doc: 'Users and the bcrypt hashes of their passwords; none: everyone may read.',
    format: 'string_map',
    default: {},
    sensitive: true,
  },
} as const satisfies Schema;

/** TLS settings of a server, by the Collector's names. */
export const serverTlsSettings = {
  cert_file: { doc: 'Certificate of the server, PEM.', format: 'path', default: null },
  key_file: { doc: 'Key of that certificate, PEM.', format: 'path', default: null },
  client_ca_file: {
    doc: 'Certificates of the authorities that must have signed those of clients, PEM; unset: clients show none.',
    format: 'path',
    default: null,
  },
  min_version: { doc: 'Oldest version of TLS.', format: ['1.0', '1.1', '1.2', '1.3'], default: '1.2' },
  max_version: { doc: 'Newest version of TLS.', format: ['1.0', '1.1', '1.2', '1.3'], default: '1.3' },
} as const satisfies Schema;

export type ServerTlsConfig = ConfigOf<typeof serverTlsSettings>;

/** What a server presents, and what it asks of its clients. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly clientAuth: (typeof clientAuthTypes)[number];
}

/** How an endpoint is served. */
export interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: ServerTls | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The hashes of passwords by users; empty: everyone may read. */
  readonly users: ReadonlyMap<string, string>;
}

const maxFileBytes = 1024 * 1024;
/** Shortest time between two attempts to read files that cannot be used. */
const retryMs = 1000;

/** A web configuration, which is read again when its file or a file that it names has changed. */
export class WebConfigFile {
  readonly #name: string;
  readonly #load: () => LoadedConfig;
  readonly #log: Log;
  #current: WebConfig;
  #files: readonly string[];
  #stamp: string;
  #failure: { readonly reason: string; readonly atMs: number } | undefined;

  /**
   * @param setting for messages: `exporters.prometheus.web_config_file`
   * @throws Error naming the file that cannot be used, and why
   */
  constructor(path: string, setting: string, log: Log, loadAgain = () => load(path)) {
    this.#name = `${setting} "${path}"`;
    this.#load = loadAgain;
    this.#log = log;
    ({ config: this.#current, files: this.#files, stamp: this.#stamp } = loadAgain());
  }

  /** What is to be used now. Files that do not fit together, because they are being replaced, are not used. */
  current(): WebConfig {
    const stamp = stampOf(this.#files);
    if (stamp !== this.#stamp || this.#isToBeRetried()) this.#reload(stamp);
    return this.#current;
  }

  /** A file that is named for the first time may be missing for the moment. */
  #isToBeRetried(): boolean {
    return this.#failure !== undefined && performance.now() - this.#failure.atMs >= retryMs;
  }

  #reload(stamp: string): void {
    this.#stamp = stamp;
    try {
      const loaded = this.#load();
      requireSameKind(this.#current, loaded.config);
      ({ config: this.#current, files: this.#files, stamp: this.#stamp } = loaded);
      this.#failure = undefined;
      this.#log.info(`Serving with changed files from now on: ${this.#name}`);
    } catch (error) {
      this.#fail(describeError(error));
    }
  }

  #fail(reason: string): void {
    if (reason !== this.#failure?.reason)
      this.#log.warn(`Cannot use the changed ${this.#name}: ${reason}; serving with the previous files`);
    this.#failure = { reason, atMs: performance.now() };
  }
}

/**
 * TLS alone, by settings instead of a file: their files are read again as those of a web configuration.
 * @param setting for messages: `receivers.otlp.protocols.grpc.tls`
 * @throws Error naming the file that cannot be used, and why
 */
export function openServerTls(settings: ServerTlsConfig, setting: string, log: Log): WebConfigFile {
  const { client_ca_file: ca, min_version: min, max_version: max } = settings;
  const converted: TlsSettings = {
    ...settings,
    client_auth_type: ca === null ? 'NoClientCert' : 'RequireAndVerifyClientCert',
    min_version: versionOf(min),
    max_version: versionOf(max),
  };
  const loadAgain = (): LoadedConfig => {
    const { tls, files, stamp } = loadFiles(converted, setting);
    return { config: { tls, headers: {}, users: new Map() }, files, stamp };
  };
  return new WebConfigFile(settings.cert_file ?? '', setting, log, loadAgain);
}

function versionOf(version: ServerTlsConfig['min_version']): TlsSettings['min_version'] {
  return versionNames[['1.0', '1.1', '1.2', '1.3'].indexOf(version)] ?? 'TLS12';
}

/** Sockets are opened for one of these kinds of clients when the server starts. */
function requireSameKind(before: WebConfig, now: WebConfig): void {
  const describe = ({ tls }: WebConfig) => (tls ? `TLS with client_auth_type ${tls.clientAuth}` : 'no TLS');
  if (describe(before) === describe(now)) return;
  throw new Error(
    `expected ${describe(before)} as at the start, found ${describe(now)}; restart to change that`,
  );
}

function stampOf(files: readonly string[]): string {
  return joinStamps(files.map(readFileStamp));
}

function joinStamps(stamps: readonly string[]): string {
  return stamps.join('\n');
}

interface LoadedConfig {
  readonly config: WebConfig;
  /** The file itself, and those that it names. */
  readonly files: readonly string[];
  /** Of these, from before they were read: what changes meanwhile is read again. */
  readonly stamp: string;
}

function load(path: string): LoadedConfig {
  const ownStamp = readFileStamp(path);
  const { tls_server_config: tls, http_server_config: http, basic_auth_users: hashes } = parse(path);
  const users = new Map(Object.entries(hashes));
  checkUsers(users, path);
  const [problem] = checkHeaders(http.headers, 'http_server_config.headers');
  if (problem !== undefined) throw new Error(`${path}: ${problem}`);
  const resolved = (file: string | null) => (file === null ? null : resolve(dirname(path), file));
  const loaded =
    tls &&
    loadFiles(
      {
        ...tls,
        cert_file: resolved(tls.cert_file),
        key_file: resolved(tls.key_file),
        client_ca_file: resolved(tls.client_ca_file),
      },
      'tls_server_config',
    );
  const config = { tls: loaded?.tls, headers: http.headers, users };
  const stamp = joinStamps([ownStamp, ...(loaded ? [loaded.stamp] : [])]);
  return { config, files: [path, ...(loaded?.files ?? [])], stamp };
}

/** @param setting the one that holds these, for messages */
function loadFiles(settings: TlsSettings, setting: string) {
  const { cert_file: cert, key_file: key, client_ca_file: ca } = settings;
  const files = [cert, key, ca].filter((file) => file !== null);
  const stamp = stampOf(files);
  return { tls: loadTls(settings, setting), files, stamp };
}

function checkUsers(users: WebConfig['users'], path: string): void {
  for (const [user, hash] of users) {
    if (isBcryptHash(hash)) continue;
    throw new Error(`${path}: basic_auth_users.${user}: expected a bcrypt hash, as "htpasswd -nB" makes it`);
  }
  const problem = users.size > 0 ? findCryptProblem() : undefined;
  if (problem !== undefined) throw new Error(problem);
}

function parse(path: string): ConfigOf<typeof schema> {
  const { contents, error, lines } = parseYaml(readText(path));
  const originAt = (offset: number) => {
    const { line, col: column } = lines.linePos(offset);
    return { source: path, line, column };
  };
  const problems: Problem[] = [];
  const report = (message: string, origin: Problem['origin']) => problems.push({ origin, path: '', message });
  if (error) report(`Cannot parse YAML: ${error.message}`, originAt(error.offset));
  // As in Prometheus, nothing is substituted: hashes are full of dollar signs.
  const node = convertYaml(contents, {
    placeOf: (one) => (one?.range ? originAt(one.range[0]) : { source: path }),
    convertText: (value, _, origin) => nodeOf(value, origin),
    report,
  });
  const config =
    problems.length === 0 ? validateSettings<typeof schema>(schema, node, '', problems) : undefined;
  if (config === undefined || problems.length > 0) throw new ConfigurationError(problems);
  return config;
}

function readText(path: string): string {
  try {
    return readRegularFile(path, maxFileBytes).toString('utf8');
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${describeReadError(error)}`, { cause: error });
  }
}

type TlsSettings = NonNullable<ConfigOf<typeof schema>['tls_server_config']>;

function loadTls(settings: TlsSettings, setting: string): ServerTls {
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
