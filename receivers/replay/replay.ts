import type { Counter } from '@opentelemetry/api';
import type { Component, ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeError, UnavailableError } from '../../src/component/errors.js';
import type { Table } from '../../src/model/table.js';
import { countPoints } from '../../src/model/table.js';
import { PointStream } from '../../src/recording/decoder.js';
import { waitForDueScrapes } from '../../src/sampling/scrape-order.js';
import type { Config } from './config.js';
import { findFiles } from './find-files.js';
import { leaveOutForeign } from './leave-out-foreign.js';
import { Playback } from './playback.js';
import { readFile, type FileSink } from './recorded-file.js';

/** So many wrong lines of a file are named. */
const namedLines = 10;

/** Hands on what files hold, from the first to the last. */
export class Replay implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  readonly #stop = new AbortController();
  readonly #skipped: Counter;
  readonly #unsupported = new Set<string>();
  /** What was read and not handed on yet. */
  readonly #tables: Table[] = [];
  #points = 0;
  #refusedPoints = 0;
  #lostLines = 0;
  #unreadFiles = 0;
  #running: Promise<void> | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
    this.#skipped = context.meter.createCounter('joulemetry.replay.skipped', {
      description: 'Lines that could not be read, and points of kinds that are not replayed',
    });
  }

  start(): void {
    const { paths, missing } = findFiles(this.#config.files);
    if (missing.length > 0) throw new UnavailableError(`Cannot find ${missing.join(', ')}`);
    if (paths.length === 0) throw new UnavailableError('Cannot replay: "files" names no file');
    this.#running = this.#run(paths);
  }

  async shutdown(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Never rejects. */
  async #run(paths: readonly string[]): Promise<void> {
    const { log } = this.#context;
    const { signal } = this.#stop;
    await this.#waitForOthers();
    const next = leaveOutForeign(this.#context, this.#next);
    const playback = new Playback(this.#config, this.#context, { next, signal });
    const stream = new PointStream({ table: (table) => void this.#tables.push(table) });
    for (const path of paths) {
      if (signal.aborted) return;
      await this.#replay(path, stream, playback);
    }
    stream.flush();
    await this.#play(playback);
    if (signal.aborted) return;
    log.info(`Replayed ${countOf(this.#points, 'point')} of ${countOf(paths.length, 'file')}`);
    if (this.#lostLines > 0) log.warn(`Lost ${countOf(this.#lostLines, 'line')} that could not be read`);
    if (this.#refusedPoints > 0)
      log.warn(`Lost ${countOf(this.#refusedPoints, 'point')} that an exporter refused`);
    if (this.#config.at_end === 'exit') this.#context.finish?.(this.#explainUnread(paths.length));
  }

  #explainUnread(files: number): string | undefined {
    if (this.#unreadFiles === 0) return undefined;
    return `${this.#unreadFiles} of ${countOf(files, 'file')} could not be replayed`;
  }

  /** What meters publish is theirs, wherever they stand in the configuration. */
  async #waitForOthers(): Promise<void> {
    const stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', resolve));
    await Promise.race([this.#context.othersStarted, stopped]);
    // A series is published by the first receiver that has it: a measurement comes before a recording.
    await Promise.race([waitForDueScrapes(this.#context.clock), stopped]);
  }

  async #replay(path: string, stream: PointStream, playback: Playback): Promise<void> {
    const tally = { malformed: 0 };
    try {
      const sink = this.#createSink(path, tally);
      for await (const _ of readFile(path, this.#config.format, {
        sink,
        stream,
        signal: this.#stop.signal,
      })) {
        await this.#play(playback);
        if (this.#stop.signal.aborted) return;
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#unreadFiles += 1;
      this.#skipped.add(1, { receiver: this.#context.id, reason: 'unreadable' });
      this.#context.log.error(`Cannot read ${path}: ${describeError(error)}`);
    }
    if (tally.malformed > namedLines) {
      this.#context.log.warn(`Skipped ${tally.malformed} lines of ${path} that cannot be read`);
    }
  }

  async #play(playback: Playback): Promise<void> {
    for (const table of this.#tables.splice(0)) {
      const points = countPoints(table);
      if (await playback.play(table)) this.#points += points;
      else this.#refusedPoints += points;
    }
  }

  #createSink(path: string, tally: { malformed: number }): FileSink {
    const { log, id: receiver } = this.#context;
    return {
      table: (table) => void this.#tables.push(table),
      malformed: (reason, line) => {
        tally.malformed += 1;
        this.#lostLines += 1;
        this.#skipped.add(1, { receiver, reason: 'malformed' });
        const place = line === undefined ? path : `${path}:${line}`;
        if (tally.malformed <= namedLines) log.warn(`Skipped ${place}: ${reason}`);
      },
      torn: (line) => log.info(`${path}:${line} is cut off: the file was not closed`),
      unsupported: (kind, points) => {
        this.#skipped.add(points, { receiver, reason: 'unsupported' });
        if (this.#unsupported.has(kind)) return;
        this.#unsupported.add(kind);
        log.warn(`Skipped points of kind "${kind}" in ${path}: only gauges and cumulative sums are replayed`);
      },
    };
  }
}

function countOf(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
