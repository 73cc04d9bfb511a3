import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Answer, Pages } from '../../src/http/server.js';
import { renderBody, renderPage, type Body, type Format, type Snapshot } from './exposition.js';

const compress = promisify(gzip);

/**
 * Finer than this, the energy of a machine reveals what its programs compute (PLATYPUS): every user who may read the page
 * without a password sees values a second apart, whichever format they ask for. The last hundredth is left to the
 * jitter of a scraper that comes once a second, which would else get every other page twice.
 */
const minAgeMs = 990;

/**
 * So long after the first joules each page is a new one: those of processes come with the end of the first window, and
 * must not wait for a page to get old that was asked for a moment before. Only a start of the agent gives such pages.
 */
const startMs = 500;

/** One page in both formats, plain and compressed, each written when first asked for. */
class Page {
  readonly takenMs: number;
  readonly #snapshot: Snapshot;
  readonly #bodies = new Map<Format, Promise<Body>>();
  readonly #plain = new Map<Format, Promise<Buffer>>();
  readonly #compressed = new Map<Format, Promise<Buffer>>();

  constructor(snapshot: Snapshot, takenMs: number) {
    this.takenMs = takenMs;
    this.#snapshot = snapshot;
  }

  render(format: Format): Promise<Buffer> {
    return remember(this.#plain, format, async () =>
      Buffer.from(renderPage(await this.#renderBody(format), format)),
    );
  }

  /** Whether it says what the machine uses: before, there is nothing to protect. */
  get hasEnergy(): boolean {
    return this.#snapshot.hasEnergy;
  }

  /** Without starts of counters it is the same in both formats. */
  #renderBody(format: Format): Promise<Body> {
    const { families } = this.#snapshot;
    const key = families.some(({ starts }) => starts) ? format : 'classic';
    return remember(this.#bodies, key, () => renderBody(this.#snapshot, key));
  }

  /** Little compressed: where the page is read over a loopback, time counts for more than bytes. */
  renderCompressed(format: Format): Promise<Buffer> {
    return remember(this.#compressed, format, async () =>
      compress(await this.render(format), { level: constants.Z_BEST_SPEED }),
    );
  }
}

function remember<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

/** The page that is served: a new one at most once a second, except at the start. */
export class PageSource {
  readonly #takeSnapshot: (nowMs: number) => Snapshot;
  readonly #nowMs: () => number;
  #page: Page | undefined;
  #firstJoulesMs: number | undefined;

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  constructor(takeSnapshot: (nowMs: number) => Snapshot, nowMs: () => number) {
    this.#takeSnapshot = takeSnapshot;
    this.#nowMs = nowMs;
  }

  read(format: Format, isCompressed: boolean): Promise<Buffer> {
    const page = this.#current();
    return isCompressed ? page.renderCompressed(format) : page.render(format);
  }

  #current(): Page {
    const now = this.#nowMs();
    if (this.#page === undefined || now - this.#page.takenMs >= minAgeMs || this.#isStarting(now)) {
      this.#page = new Page(this.#takeSnapshot(now), now);
      if (this.#page.hasEnergy) this.#firstJoulesMs ??= now;
    }
    return this.#page;
  }

  #isStarting(nowMs: number): boolean {
    return this.#firstJoulesMs === undefined || nowMs - this.#firstJoulesMs < startMs;
  }
}

const contentTypes: Readonly<Record<Format, string>> = {
  classic: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The page of metrics at `path`, and a small one at `/` that leads to it. */
export function createPages(path: string, source: PageSource): Pages {
  const landing = renderLanding(path);
  return {
    '/': () => ({ status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: landing }),
    [path]: (request) => readPage(source, request),
  };
}

async function readPage(source: PageSource, { headers }: IncomingMessage): Promise<Answer> {
  const format = chooseFormat(headers.accept);
  const isCompressed = acceptsGzip(headers['accept-encoding']);
  return {
    status: 200,
    headers: {
      'Content-Type': contentTypes[format],
      Vary: 'Accept, Accept-Encoding',
      ...(isCompressed && { 'Content-Encoding': 'gzip' }),
    },
    body: await source.read(format, isCompressed),
  };
}

function renderLanding(path: string): string {
  return `<!doctype html>\n<title>Joulemetry</title>\n<h1>Joulemetry</h1>\n<p><a href="${encodeURI(path)}">Metrics</a></p>\n`;
}

interface Range {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/**
 * The format that an Accept header prefers. Classic text where it says nothing of either: that is what people
 * and old scrapers read.
 */
export function chooseFormat(accept: string | undefined): Format {
  const ranges = parseRanges(accept ?? '');
  const qualityOf = (fits: (range: Range) => boolean) =>
    Math.max(0, ...ranges.filter(fits).map(({ quality }) => quality));
  const openMetrics = qualityOf(isOpenMetrics);
  const classic = qualityOf(isClassic);
  return openMetrics > 0 && openMetrics >= classic ? 'openmetrics' : 'classic';
}

/** Whether an Accept-Encoding header takes gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const ranges = parseRanges(acceptEncoding ?? '');
  const range = ranges.find(({ name }) => name === 'gzip') ?? ranges.find(({ name }) => name === '*');
  return range !== undefined && range.quality > 0;
}

function isOpenMetrics({ name, parameters }: Range): boolean {
  return name === 'application/openmetrics-text' && ['1.0.0', undefined].includes(parameters.get('version'));
}

function isClassic({ name, parameters }: Range): boolean {
  if (name === '*/*' || name === 'text/*') return true;
  return name === 'text/plain' && ['0.0.4', undefined].includes(parameters.get('version'));
}

function parseRanges(header: string): readonly Range[] {
  return header
    .toLowerCase()
    .split(',')
    .map((part) => {
      const [name = '', ...rest] = part.split(';').map((piece) => piece.trim());
      const parameters = new Map(rest.map(parseParameter));
      return { name, parameters, quality: parseQuality(parameters.get('q')) };
    });
}

function parseParameter(text: string): [string, string] {
  const [, name = text, value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  return [name.trim(), value.trim().replaceAll('"', '')];
}

function parseQuality(text: string | undefined): number {
  const quality = text === undefined ? 1 : Number(text);
  return quality >= 0 && quality <= 1 ? quality : 0;
}
