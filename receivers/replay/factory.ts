import type { Counter } from '@opentelemetry/api';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { UnavailableError } from '../../src/errors.js';
import { findRecordings } from '../../src/recording/find-recordings.js';
import { countRecorded, type RecordedTable } from '../../src/recording/recorded-table.js';
import { waitForDueScrapes } from '../../src/scraping/scrape-order.js';
import { schema, type Config } from './config.js';
import { leaveOutForeign } from './leave-out-foreign.js';
import { Playback } from './playback.js';
import type { Findings } from './reading.js';
import { readFiles, type ReadingEvents } from './recorded-files.js';

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  // It publishes the contents of its files.
  metrics: [],
  check: ({ files }) =>
    files.length === 0 ? ['files: expected at least one path, found an empty list'] : [],
  probe: ({ files }) => describeFiles(files),
  create: (config, context, next) => new Replay(config, context, next),
};

function describeFiles(files: readonly string[]): Probe {
  const { paths, missing } = findRecordings(files);
  const available = paths.length > 0 && missing.length === 0;
  const found = available
    ? `${paths.length} ${paths.length === 1 ? 'file' : 'files'}`
    : `no file for ${missing.join(', ') || '"files", which is empty'}`;
  return { available, found, remedies: [] };
}

/** Replays the contents of files, in order. */
class Replay implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  readonly #stop = new AbortController();
  readonly #skipped: Counter;
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
    const { paths, missing } = findRecordings(this.#config.files);
    if (missing.length > 0)
      throw new UnavailableError(`Cannot replay ${missing.join(', ')}: expected a file, found none`);
    if (paths.length === 0)
      throw new UnavailableError('Cannot replay: expected a file in "files", found none');
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
    const events: ReadingEvents = {
      tables: (tables) => this.#play(tables, playback),
      found: (findings) => this.#report(findings),
    };
    const progress = this.#logProgress();
    await readFiles({ paths, format: this.#config.format }, events, signal);
    clearInterval(progress);
    if (signal.aborted) return;
    log.info(`Replayed ${countOf(this.#points, 'point')} of ${countOf(paths.length, 'file')}`);
    if (this.#lostLines > 0) log.warn(`Lost ${countOf(this.#lostLines, 'line')} that could not be read`);
    if (this.#refusedPoints > 0)
      log.warn(`Lost ${countOf(this.#refusedPoints, 'point')} that an exporter refused`);
    if (this.#config.at_end === 'exit') this.#context.finish?.(this.#explainUnread(paths.length));
  }

  #logProgress(): NodeJS.Timeout | undefined {
    const { progress_interval: intervalMs } = this.#config;
    if (intervalMs === 0) return undefined;
    const startedMs = performance.now();
    return setInterval(() => {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      this.#context.log.info(`Replayed ${countOf(this.#points, 'point')} in ${seconds} s, continuing`);
    }, intervalMs);
  }

  #explainUnread(files: number): string | undefined {
    if (this.#unreadFiles === 0) return undefined;
    return `${this.#unreadFiles} of ${countOf(files, 'file')} could not be replayed`;
  }

  /** Meters have precedence over recordings, independently of their order in the configuration. */
  async #waitForOthers(): Promise<void> {
    const stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', resolve));
    await Promise.race([this.#context.othersStarted, stopped]);
    // A series belongs to the receiver that publishes it first, so measurements must come before the recording.
    await Promise.race([waitForDueScrapes(this.#context.clock), stopped]);
  }

  async #play(tables: readonly RecordedTable[], playback: Playback): Promise<void> {
    for (const table of tables) {
      if (this.#stop.signal.aborted) return;
      const points = countRecorded(table);
      if (await playback.play(table)) this.#points += points;
      else this.#refusedPoints += points;
    }
  }

  #report({ notes, lostLines, unsupportedPoints, unreadFiles }: Findings): void {
    const { log } = this.#context;
    for (const { level, text } of notes) log[level](text);
    this.#lostLines += lostLines;
    this.#unreadFiles += unreadFiles;
    this.#skip('malformed', lostLines);
    this.#skip('unsupported', unsupportedPoints);
    this.#skip('unreadable', unreadFiles);
  }

  #skip(reason: 'malformed' | 'unsupported' | 'unreadable', count: number): void {
    if (count > 0) this.#skipped.add(count, { receiver: this.#context.id, reason });
  }
}

function countOf(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
