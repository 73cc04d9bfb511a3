import type { Component, ReceiverContext, ReceiverFactory } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { UnavailableError } from '../errors.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { BusyTimeReader } from '../linux/busy-time.js';
import { busyTime, processCpuTime } from '../model/shared-metrics.js';
import type { Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';

const schema = {
  collection_interval: {
    doc: 'Time between two readings of the CPU time of the command and the machine; energy is attributed per interval.',
    format: 'duration',
    default: '100ms',
    min: 1,
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
} as const satisfies Schema;

type Config = ConfigOf<typeof schema>;

/** A command that is about to begin. */
export interface ReadyCommand {
  readonly resource: Resource;
  /** Lets it begin. */
  release(): void;
  /** CPU time that its tree has used since it began, in nanoseconds. */
  readCpuNs(): number;
  /** All CPU time that it has used; the last reading, once it has ended. */
  finishCpuNs(): number;
}

/** Where the receiver of a service can be reached, once the service has created it. */
export interface CommandFeed {
  receiver: CommandReceiver | undefined;
}

/** The factory of the receiver `command`, which knows what `exec` runs. */
export function createCommandFactory(feed: CommandFeed): ReceiverFactory<typeof schema> {
  return {
    schema,
    metrics: [processCpuTime, busyTime],
    probe: () => ({ available: true, found: 'the command of joulemetry exec', remedies: [] }),
    create(config, context, next) {
      if (feed.receiver)
        throw new Error(`Cannot create receiver "${context.id}": "command" is there already`);
      feed.receiver = new CommandReceiver(config, context, next);
      return feed.receiver;
    },
  };
}

/** The command's series and where they count from. */
interface Tracked {
  readonly command: ReadyCommand;
  readonly columns: readonly [Series];
  readonly baseNs: number;
}

/** What was read at one instant. */
interface Scan {
  /** Unix time in nanoseconds. */
  readonly at: bigint;
  readonly tables: readonly Table[];
}

/**
 * Emits the CPU time of a command and of the machine: once when it begins, once when it ends, and at every
 * interval. Each reading of the machine is a boundary of the ledger's windows.
 */
export class CommandReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  #busy: BusyTimeReader | undefined;
  #busyColumns: readonly Series[] = [];
  #tracked: Tracked | undefined;
  #timer: NodeJS.Timeout | undefined;
  #era = NaN;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
  }

  start(): void {
    const owner = this.#context.claims.claim('usage');
    if (owner !== undefined) throw new UnavailableError(`receiver "${owner}" publishes CPU time already`);
    this.#busy = new BusyTimeReader(this.#config.procfs);
    this.#scan();
    this.#timer = setInterval(() => this.#scan(), this.#config.collection_interval);
  }

  flush(): void {
    this.#scan();
  }

  shutdown(): void {
    clearInterval(this.#timer);
    if (this.#busy === undefined) return;
    this.#scan();
    this.#busy.close();
    this.#busy = undefined;
  }

  /**
   * Lets the command begin, right after a reading and before anything is done with it.
   * @returns the boundary, Unix time in nanoseconds
   */
  begin(command: ReadyCommand): bigint {
    this.#tracked = track(command, this.#context.clock.wallNs(), 0);
    const scan = this.#read();
    command.release();
    return this.#handOn(scan);
  }

  /**
   * The command has ended.
   * @returns the boundary, Unix time in nanoseconds
   */
  end(): bigint {
    const at = this.#handOn(this.#read(true));
    this.#tracked = undefined;
    return at;
  }

  #scan(): void {
    this.#handOn(this.#read());
  }

  /** The row of the machine comes last: it closes the window. */
  #read(hasEnded = false): Scan {
    const { clock } = this.#context;
    const ended = this.#busy ? this.#followEra(this.#busy) : [];
    const at = clock.wallNs();
    const busyNs = this.#busy?.read(clock.monotonicNs()) ?? NaN;
    const machine = createRow(this.#busyColumns, at, Float64Array.of(busyNs / 1e9));
    const command = this.#tracked ? readCommand(this.#tracked, at, hasEnded) : [];
    return { at, tables: [...ended, ...command, machine] };
  }

  #handOn({ at, tables }: Scan): bigint {
    for (const table of tables) this.#next.consume(table);
    return at;
  }

  /** Series end and start again where the wall clock was stepped. */
  #followEra(busy: BusyTimeReader): readonly Table[] {
    const { clock, host } = this.#context;
    const era = clock.checkEra();
    if (era === this.#era) return [];
    this.#era = era;
    const at = clock.wallNs();
    const ended = [...this.#busyColumns, ...(this.#tracked?.columns ?? [])];
    busy.restart();
    this.#busyColumns = [createSeries(busyTime, host, at)];
    if (this.#tracked) this.#tracked = track(this.#tracked.command, at, this.#tracked.command.readCpuNs());
    return ended.length > 0 ? [createEnding(ended, at)] : [];
  }
}

function readCommand({ command, columns, baseNs }: Tracked, at: bigint, hasEnded: boolean): readonly Table[] {
  const cpuNs = hasEnded ? command.finishCpuNs() : command.readCpuNs();
  const row = createRow(columns, at, Float64Array.of((cpuNs - baseNs) / 1e9));
  return hasEnded ? [row, createEnding(columns, at)] : [row];
}

function track(command: ReadyCommand, start: bigint, baseNs: number): Tracked {
  return { command, baseNs, columns: [createSeries(processCpuTime, command.resource, start)] };
}

function createSeries(metric: Metric, resource: Resource, start: bigint): Series {
  return { metric, resource, attributes: {}, start };
}
