import { dirname, resolve } from 'node:path';
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
import {
  loadServerTls,
  toWebTls,
  webTlsSettings,
  type ServerTls,
  type ServerTlsConfig,
} from './server-tls.js';

/** https://prometheus.io/docs/prometheus/latest/configuration/https/, without what Node leaves to OpenSSL. */
const schema = {
  tls_server_config: {
    doc: 'Serves over TLS only. Unset: without TLS.',
    format: 'group',
    default: null,
    settings: webTlsSettings,
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

/** How an endpoint is served. */
export interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: ServerTls | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Password hashes by user; empty: no authentication. */
  readonly users: ReadonlyMap<string, string>;
}

const maxFileBytes = 1024 * 1024;
/** Minimum time between two attempts to read unusable files. */
const retryMs = 1000;

/** A web configuration, which is reloaded when its file or a file that it names has changed. */
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
   * @throws Error naming the unusable file, with the reason
   */
  constructor(path: string, setting: string, log: Log, loadAgain = () => load(path)) {
    this.#name = `${setting} "${path}"`;
    this.#load = loadAgain;
    this.#log = log;
    ({ config: this.#current, files: this.#files, stamp: this.#stamp } = loadAgain());
  }

  /** The current configuration. Inconsistent files, which are just being replaced, are not used. */
  current(): WebConfig {
    const stamp = stampOf(this.#files);
    if (stamp !== this.#stamp || this.#isToBeRetried()) this.#reload(stamp);
    return this.#current;
  }

  /** A file that is named for the first time may not exist yet. */
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
 * TLS from settings instead of a file; its files are reloaded like those of a web configuration.
 * @param setting for messages: `receivers.otlp.protocols.grpc.tls`
 * @throws Error naming the unusable file, with the reason
 */
export function openServerTls(settings: ServerTlsConfig, setting: string, log: Log): WebConfigFile {
  const converted = toWebTls(settings);
  const loadAgain = (): LoadedConfig => {
    const { tls, files, stamps } = loadServerTls(converted, setting);
    return { config: { tls, headers: {}, users: new Map() }, files, stamp: joinStamps(stamps) };
  };
  return new WebConfigFile(settings.cert_file ?? '', setting, log, loadAgain);
}

/** Whether the server uses TLS is fixed at its start. */
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
  /** The file itself, and the files that it names. */
  readonly files: readonly string[];
  /** Their stamps, taken before they were read: later changes are read again. */
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
    loadServerTls(
      {
        ...tls,
        cert_file: resolved(tls.cert_file),
        key_file: resolved(tls.key_file),
        client_ca_file: resolved(tls.client_ca_file),
      },
      'tls_server_config',
    );
  const config = { tls: loaded?.tls, headers: http.headers, users };
  const stamp = joinStamps([ownStamp, ...(loaded?.stamps ?? [])]);
  return { config, files: [path, ...(loaded?.files ?? [])], stamp };
}

/** @throws Error naming the unusable file, with the reason, as at the start of a server */
export function checkWebConfigFile(path: string): void {
  load(path);
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
  // As in Prometheus, nothing is substituted: hashes contain dollar signs.
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
