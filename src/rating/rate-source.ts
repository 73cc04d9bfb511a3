import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { Log } from '../component/log.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError } from '../errors.js';
import { clientSettings, openHttpClient, type HttpClient } from '../http/client.js';
import { get } from '../http/get.js';
import { describeReadError } from '../linux/regular-file.js';
import { StepRate, type Rate, type RatePoint } from './rate.js';

/** Settings of a rate from a web service. */
export const serviceSettings = {
  endpoint: {
    doc: 'Address of the service, which answers a GET request with JSON.',
    format: 'url',
    default: null,
  },
  value: {
    doc: 'Path of the number in the answer: names and indices separated by dots, such as `data.0.intensity.actual`.',
    format: 'string',
    default: 'carbonIntensity',
  },
  headers: {
    doc: 'Headers of every request, such as one with a token.',
    format: 'string_map',
    default: {},
    sensitive: true,
  },
  interval: { doc: 'Time between two requests.', format: 'duration', default: '15m', min: 1000 },
  max_age: {
    doc: 'Age from which the last value is stale: a warning is logged and, if there is a fallback (`country`, `price`), it is used instead.',
    format: 'duration',
    default: '6h',
    min: 1000,
  },
  cache: {
    doc: 'File that keeps the last value for the next start with the same `endpoint` and `value`. Unset: it is not kept.',
    format: 'path',
    default: null,
  },
  ...clientSettings,
} as const satisfies Schema;

export type ServiceConfig = ConfigOf<typeof serviceSettings>;

/** A rate that is read repeatedly. */
export interface RateSource {
  readonly rate: Rate;
  /** When the current value became known, Unix time in milliseconds; NaN: none is known. */
  readonly updatedAtMs: number;
  /** Whether the rate is that of the fallback, since there is no current value. */
  readonly isFallback: boolean;
  /** @throws Error if the rate can never be available */
  start(): Promise<void>;
  close(): void;
}

/** The unit of the values. */
interface Units {
  /** Factor from a value to the cost or emissions per joule. */
  readonly perJoule: number;
  /** The minimum plausible value. */
  readonly min: number;
}

const nsPerMs = 1e6;
const fileCheckMs = 30_000;

/** A rate in a file of lines `time,value`, reloaded when it changes. A value holds until the next one. */
export class FileRateSource implements RateSource {
  readonly rate = new StepRate();
  readonly isFallback = false;
  updatedAtMs = NaN;
  readonly #path: string;
  readonly #units: Units;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #failure = '';

  constructor(path: string, units: Units, log: Log) {
    this.#path = path;
    this.#units = units;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#read();
    this.#timer = setInterval(() => void this.#readAgain(), fileCheckMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    const { mtimeMs } = await stat(this.#path).catch(rethrowAs(this.#path));
    if (mtimeMs === this.updatedAtMs) return;
    this.rate.replace(await readRates(this.#path, this.#units));
    this.updatedAtMs = mtimeMs;
  }

  async #readAgain(): Promise<void> {
    try {
      await this.#read();
      this.#failure = '';
    } catch (error) {
      const failure = describeError(error);
      if (failure !== this.#failure) this.#log.warn(`${failure}; keeping the previous rates`);
      this.#failure = failure;
    }
  }
}

/** @throws Error naming the file, with the reason, or the line that is no rate */
export async function readRates(path: string, units: Units): Promise<readonly RatePoint[]> {
  const text = await readFile(path, 'utf8').catch(rethrowAs(path));
  return parseRates(text, path, units);
}

function rethrowAs(path: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`Cannot read ${path}: ${describeReadError(error)}`, { cause: error });
  };
}

/**
 * Parses lines of `time,value`: RFC 3339 or Unix seconds, and a number. Empty lines, those that begin with `#`, and a first
 * line without a number are skipped.
 * @throws Error naming the line that is neither
 */
export function parseRates(text: string, path: string, { perJoule, min }: Units): readonly RatePoint[] {
  const points = text.split(/\r?\n/u).flatMap((line, index): readonly RatePoint[] => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [time = '', value = '', ...rest] = line.split(',').map((cell) => cell.trim());
    const at = /^\d+(?:\.\d+)?$/u.test(time) ? Number(time) * 1000 : Date.parse(time);
    const number = value === '' ? NaN : Number(value);
    if (index === 0 && Number.isNaN(at)) return [];
    if (Number.isNaN(at) || !(number >= min && number < Infinity) || rest.length > 0) {
      throw new Error(
        `Cannot read ${path}:${index + 1}: expected "time,value" with a number${min > -Infinity ? ` of ${min} or more` : ''}, found "${line}"`,
      );
    }
    return [{ at: at * nsPerMs, factor: number * perJoule }];
  });
  if (points.length === 0) throw new Error(`Cannot read ${path}: expected lines "time,value", found none`);
  return points;
}

/** A rate from a web service, polled periodically. */
export class ServiceRateSource implements RateSource {
  readonly rate = new StepRate();
  updatedAtMs = NaN;
  #isStale = false;
  readonly #config: ServiceConfig & { readonly endpoint: string };
  readonly #units: Units;
  readonly #fallback: number | undefined;
  readonly #log: Log;
  #client: HttpClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #failure = '';

  /** @param fallback cost or emissions per joule while nothing newer is known; undefined: keep the last value */
  constructor(
    config: ServiceConfig & { readonly endpoint: string },
    options: { readonly units: Units; readonly fallback: number | undefined; readonly log: Log },
  ) {
    this.#config = config;
    this.#units = options.units;
    this.#fallback = options.fallback;
    this.#log = options.log;
    if (options.fallback !== undefined) this.rate.add({ at: 0, factor: options.fallback });
  }

  get isFallback(): boolean {
    return this.#fallback !== undefined && (this.#isStale || Number.isNaN(this.updatedAtMs));
  }

  async start(): Promise<void> {
    this.#client = openHttpClient(new URL(this.#config.endpoint), this.#config, this.#log);
    await this.#readCache();
    void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#client?.agent.destroy();
  }

  async #ask(): Promise<void> {
    try {
      const value = await this.#fetch();
      if (this.#isClosed) return;
      this.#take(value, Date.now());
      if (this.#failure !== '') this.#log.info(`Recovered, ${this.#client?.target} answers again`);
      this.#failure = '';
      await this.#writeCache(value);
    } catch (error) {
      if (!this.#isClosed) this.#fail(describeError(error));
    }
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#ask(), this.#config.interval).unref();
  }

  async #fetch(): Promise<number> {
    const { endpoint, value: path, headers, timeout } = this.#config;
    const { agent, authorization } = this.#client ?? {};
    if (agent === undefined) throw new Error('expected start() before a request, found none');
    const chunks: Buffer[] = [];
    const target = { agent, url: new URL(endpoint), authorization: authorization?.(), headers };
    for await (const chunk of get(target, timeout)) {
      chunks.push(chunk);
      if (chunks.reduce((sum, { length }) => sum + length, 0) > maxAnswerBytes) {
        throw new Error(`expected at most ${maxAnswerBytes} bytes, found more`);
      }
    }
    return findNumber(JSON.parse(Buffer.concat(chunks).toString('utf8')), path, this.#units.min);
  }

  #take(value: number, atMs: number): void {
    this.rate.add({ at: atMs * nsPerMs, factor: value * this.#units.perJoule });
    this.updatedAtMs = atMs;
    this.#isStale = false;
  }

  #fail(failure: string): void {
    const isOld = !(Date.now() - this.updatedAtMs <= this.#config.max_age);
    const isNewlyStale = isOld && !this.#isStale;
    if (isNewlyStale && this.#fallback !== undefined) {
      this.rate.add({ at: Date.now() * nsPerMs, factor: this.#fallback });
    }
    this.#isStale = isOld;
    if (failure === this.#failure && !isNewlyStale) return;
    this.#failure = failure;
    this.#log.warn(`Cannot get a value from ${this.#client?.target}: ${failure}; ${this.#describeInstead()}`);
  }

  #describeInstead(): string {
    if (this.#isStale && this.#fallback !== undefined) return 'the fall-back is used';
    if (Number.isNaN(this.updatedAtMs)) return 'nothing is published until there is one';
    return `the value of ${new Date(this.updatedAtMs).toISOString()} stays in use`;
  }

  /** The value of the last run, if it is not stale and is from the same source. */
  async #readCache(): Promise<void> {
    const { cache, max_age: maxAgeMs } = this.#config;
    if (cache === null) return;
    try {
      const kept = JSON.parse(await readFile(cache, 'utf8')) as Readonly<Record<string, unknown>>;
      const { at, value, source } = kept;
      const isFresh = typeof at === 'number' && at <= Date.now() && Date.now() - at <= maxAgeMs;
      const isSame = source === this.#identifySource();
      if (isFresh && isSame && typeof value === 'number' && value >= this.#units.min) this.#take(value, at);
    } catch {
      // It does not exist yet or is damaged: the next answer of the service replaces it.
    }
  }

  /** The endpoint and the path in its answer: a digest, since an address may contain a token. */
  #identifySource(): string {
    const { endpoint, value } = this.#config;
    return createHash('sha256')
      .update(JSON.stringify([endpoint, value]))
      .digest('hex');
  }

  async #writeCache(value: number): Promise<void> {
    const { cache } = this.#config;
    if (cache === null) return;
    try {
      const kept = { at: this.updatedAtMs, value, source: this.#identifySource() };
      await writeFile(cache, JSON.stringify(kept), { mode: 0o600 });
    } catch (error) {
      this.#log.warn(
        `Cannot write ${cache}: ${describeError(error)}; the value is not kept for the next start`,
      );
    }
  }
}

const maxAnswerBytes = 4 << 20;

/**
 * The number at a path of names and indices.
 * @throws Error naming the path, if there is none
 */
export function findNumber(json: unknown, path: string, min: number): number {
  const found = path
    .split('.')
    .reduce<unknown>(
      (at, name) => (Object(at) === at ? (at as Readonly<Record<string, unknown>>)[name] : undefined),
      json,
    );
  const value = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  if (typeof value === 'number' && value >= min && value < Infinity) return value;
  throw new Error(
    `expected a number of ${min} or more at "${path}" of the answer, found ${JSON.stringify(found) ?? 'nothing'}`,
  );
}
