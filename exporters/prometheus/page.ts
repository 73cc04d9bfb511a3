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

/** So much is given back to the kernel when it is freed. */
const pieceBytes = 128 * 1024;

/** Little: where the page is read over a loopback, time counts for more than bytes. */
const compression = { level: constants.Z_BEST_SPEED, chunkSize: pieceBytes / 2 };

/** One page in both formats, plain and compressed, each written when it is first asked for. */
class Page {
  readonly takenMs: number;
  readonly #snapshot: Snapshot;
  readonly #plain = new Map<Format, Promise<readonly Buffer[]>>();
  readonly #compressed = new Map<Format, Promise<readonly Buffer[]>>();

  constructor(snapshot: Snapshot, takenMs: number) {
    this.takenMs = takenMs;
    this.#snapshot = snapshot;
  }

  /** Whether it says what the machine uses: before, there is nothing to protect. */
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

  /** A page of one piece at once: another thread would take longer to wake up. Larger ones are compressed there. */
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

  /** @returns the last piece, after `take` got those before it */
  async #write(format: Format, take: (piece: Buffer) => void): Promise<Buffer> {
    const pieces = new Pieces(take);
    // Copying the values took its time, too.
    await setImmediate();
    await runInSlices(writePage(this.#snapshot, format, (part) => pieces.add(part)));
    return pieces.end();
  }
}

/** Compresses on another thread while the next piece is written. */
function compressInStream(): { readonly gzip: Gzip; readonly whole: Promise<Buffer[]> } {
  const gzip = createGzip(compression);
  // It emits buffers only.
  const whole = gzip.toArray() as Promise<Buffer[]>;
  // A failure is reported to those who wait for the whole, once they do.
  whole.catch(() => {});
  return { gzip, whole };
}

/** Puts parts of any length together to pieces of one. */
class Pieces {
  readonly #take: (piece: Buffer) => void;
  #piece = Buffer.allocUnsafeSlow(pieceBytes);
  #length = 0;

  /** @param take gets each full piece */
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

/** What gives pages. */
export interface PageReader {
  read(format: Format, isCompressed: boolean): Promise<readonly Buffer[]>;
}

/** The page that is served: a new one at most once a second, except at the start. */
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

/** The page of metrics at `path`, and a small one at `/` that leads to it. */
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
