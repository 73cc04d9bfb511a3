import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { constants, createGzip, gzipSync, type Gzip } from 'node:zlib';
import type { Answer, Pages } from '../../src/http/server.js';
import { runInSlices } from '../../src/linux/slices.js';
import { findOrAdd } from '../../src/model/plan.js';
import { writePage, type Format } from './exposition.js';
import { acceptsGzip, chooseFormat } from './negotiation.js';
import type { Snapshot } from './snapshot.js';

/**
 * Minimum age before a new page is made. With a finer resolution, the energy of a machine reveals what its
 * programs compute (PLATYPUS): unauthenticated readers see values a second apart, in any format. The last
 * hundredth allows for the jitter of a scraper with an interval of a second, which would otherwise get every
 * other page twice.
 */
const minAgeMs = 990;

/**
 * For this long after the first energy, each request gets a new page: the energy of processes follows with the
 * end of the first window, and must not be delayed by a page that was requested just before. This happens only
 * at the start of the agent.
 */
const startMs = 500;

/** A piece this large is returned to the kernel when it is freed. */
const pieceBytes = 128 * 1024;

/** Fast compression: over loopback, time matters more than size. */
const compression = { level: constants.Z_BEST_SPEED, chunkSize: pieceBytes / 2 };

/** One page in both formats, plain and compressed, each written on first request. */
class Page {
  readonly takenMs: number;
  readonly #snapshot: Snapshot;
  readonly #plain = new Map<Format, Promise<readonly Buffer[]>>();
  readonly #compressed = new Map<Format, Promise<readonly Buffer[]>>();

  constructor(snapshot: Snapshot, takenMs: number) {
    this.takenMs = takenMs;
    this.#snapshot = snapshot;
  }

  /** Whether it contains energy: before that, there is nothing to protect. */
  get hasEnergy(): boolean {
    return this.#snapshot.hasEnergy;
  }

  render(format: Format): Promise<readonly Buffer[]> {
    return findOrAdd(this.#plain, format, () => this.#render(format));
  }

  renderCompressed(format: Format): Promise<readonly Buffer[]> {
    return findOrAdd(this.#compressed, format, () => this.#compress(format));
  }

  async #render(format: Format): Promise<readonly Buffer[]> {
    const pieces: Buffer[] = [];
    const last = await this.#write(format, (piece) => void pieces.push(piece));
    return [...pieces, last];
  }

  /**
   * A page of one piece is compressed here, since waking another thread would take longer; larger pages are
   * compressed on another thread.
   */
  async #compress(format: Format): Promise<readonly Buffer[]> {
    let stream: ReturnType<typeof compressInStream> | undefined;
    const last = await this.#write(format, (piece) => {
      stream ??= compressInStream();
      stream.gzip.write(piece);
    });
    if (stream === undefined) return [gzipSync(last, compression)];
    stream.gzip.end(last);
    return stream.whole;
  }

  /** @returns the last piece, after the others were passed to `take` */
  async #write(format: Format, take: (piece: Buffer) => void): Promise<Buffer> {
    const pieces = new Pieces(take);
    // Yields, since copying the values took time.
    await setImmediate();
    await runInSlices(writePage(this.#snapshot, format, (part) => pieces.add(part)));
    return pieces.end();
  }
}

/** Compresses on another thread while the next piece is written. */
function compressInStream(): { readonly gzip: Gzip; readonly whole: Promise<Buffer[]> } {
  const gzip = createGzip(compression);
  // The stream emits buffers only.
  const whole = gzip.toArray() as Promise<Buffer[]>;
  // A failure is reported to those who await the result, once they do.
  whole.catch(() => {});
  return { gzip, whole };
}

/** Joins parts of any length to pieces of the same length. */
class Pieces {
  readonly #take: (piece: Buffer) => void;
  #piece = Buffer.allocUnsafeSlow(pieceBytes);
  #length = 0;

  /** @param take receives each full piece */
  constructor(take: (piece: Buffer) => void) {
    this.#take = take;
  }

  add(part: Uint8Array): void {
    let rest = part;
    for (let room = pieceBytes - this.#length; rest.length > room; room = pieceBytes) {
      this.#piece.set(rest.subarray(0, room), this.#length);
      rest = rest.subarray(room);
      this.#take(this.#piece);
      this.#piece = Buffer.allocUnsafeSlow(pieceBytes);
      this.#length = 0;
    }
    this.#piece.set(rest, this.#length);
    this.#length += rest.length;
  }

  /** @returns the last piece */
  end(): Buffer {
    return this.#piece.subarray(0, this.#length);
  }
}

/** Provides pages. */
export interface PageReader {
  read(format: Format, isCompressed: boolean): Promise<readonly Buffer[]>;
}

/** The served page: a new one at most once a second, except at the start. */
export class PageSource implements PageReader {
  readonly #takeSnapshot: (nowMs: number) => Snapshot;
  readonly #nowMs: () => number;
  #page: Page | undefined;
  #firstJoulesMs: number | undefined;

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  constructor(takeSnapshot: (nowMs: number) => Snapshot, nowMs: () => number) {
    this.#takeSnapshot = takeSnapshot;
    this.#nowMs = nowMs;
  }

  read(format: Format, isCompressed: boolean): Promise<readonly Buffer[]> {
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

/** The metrics page at `path`, and a small page at `/` with a link to it. */
export function createPages(path: string, source: PageReader): Pages {
  const landing = renderLanding(path);
  return {
    '/': () => ({ status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: landing }),
    [path]: (request) => readPage(source, request),
  };
}

async function readPage(source: PageReader, { headers }: IncomingMessage): Promise<Answer> {
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
