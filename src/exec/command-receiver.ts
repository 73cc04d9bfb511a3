import type { Component, ReceiverContext, ReceiverFactory } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { UnavailableError } from '../errors.js';
import { BusyTimeReader } from '../linux/busy-time.js';
import type { Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { busyTime, processCpuTime } from '../model/usage-metrics.js';

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

/** One program within the tree of a command. */
export interface CommandPart {
  readonly resource: Resource;
  /** CPU time since the command started; never decreases. */
  readonly cpuNs: number;
}

/** A command that is ready to start. */
export interface ReadyCommand {
  /** Starts it. */
  release(): void;
  /** The parts of its tree: new ones come last, and none is removed. With eBPF this reads every task of the machine. */
  readParts(): readonly CommandPart[];
  /** After the command has ended and was read: resolves when everything about processes that ended with it is known. */
  settle(): Promise<void>;
  /** Its total usage, by part. */
  finishParts(): readonly CommandPart[];
}

/** The receiver of a service, available once the service has created it. */
export interface CommandFeed {
  receiver: CommandReceiver | undefined;
}

/** The factory of the receiver `command`, which publishes the command of `exec`. */
export function createCommandFactory(feed: CommandFeed): ReceiverFactory<typeof schema> {
  return {
    schema,
    metrics: [processCpuTime, busyTime],
    probe: () => ({ available: true, found: 'the command of joulemetry exec', remedies: [] }),
    create(config, context, next) {
      if (feed.receiver)
        throw new Error(
          `Cannot create receiver "${context.id}": expected one for the command, found another one`,
        );
      feed.receiver = new CommandReceiver(config, context, next);
      return feed.receiver;
    },
  };
}

/** The series of a command, one per part. */
class CommandSeries {
  readonly command: ReadyCommand;
  #columns: readonly Series[];
  /** Usage of the parts when their series started. */
  readonly #basesNs: readonly number[];
  /** Unix time in nanoseconds of the last row, at which the series of parts start that are new in the next one. */
  #rowNs: bigint;

  /** @param parts usage before the series start */
  constructor(command: ReadyCommand, startNs: bigint, parts: readonly CommandPart[]) {
    this.command = command;
    this.#rowNs = startNs;
    this.#basesNs = parts.map(({ cpuNs }) => cpuNs);
    this.#columns = parts.map(({ resource }) => createSeries(processCpuTime, resource, startNs));
  }

  get columns(): readonly Series[] {
    return this.#columns;
  }

  createRow(parts: readonly CommandPart[], at: bigint): Table {
    const added = parts.slice(this.#columns.length);
    if (added.length > 0) {
      const columns = added.map(({ resource }) => createSeries(processCpuTime, resource, this.#rowNs));
      this.#columns = [...this.#columns, ...columns];
    }
    this.#rowNs = at;
    const seconds = parts.map(({ cpuNs }, i) => (cpuNs - (this.#basesNs[i] ?? 0)) / 1e9);
    return createRow(this.#columns, at, Float64Array.from(seconds));
  }
}

/** A reading of the machine. */
interface MachineReading {
  /** Unix time in nanoseconds. */
  readonly at: bigint;
  /** Closes the window. */
  readonly row: Table;
}

/**
 * Emits the CPU time of a command and of the machine: at its start, at its end, and at every interval. Each
 * reading of the machine is a boundary of the ledger's windows.
 */
export class CommandReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  #busy: BusyTimeReader | undefined;
  #busyColumns: readonly Series[] = [];
  #series: CommandSeries | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;
  #breaks = NaN;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
  }

  start(): void {
    const owner = this.#context.claims.claim('usage');
    if (owner !== undefined)
      throw new UnavailableError(`expected no other publisher of CPU time, found receiver "${owner}"`);
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
   * Starts the command, right after a reading and before the reading is processed.
   * @returns the boundary, Unix time in nanoseconds
   */
  begin(command: ReadyCommand): bigint {
    const machine = this.#readMachine();
    const parts = command.readParts();
    this.#series = new CommandSeries(command, machine.at, parts);
    const row = this.#series.createRow(parts, machine.at);
    command.release();
    return this.#forward([row], machine);
  }

  /**
   * The command has ended: reads the machine immediately, and the command when all of its usage is known.
   * @param onRead receives the boundary, Unix time in nanoseconds, before any later reading of a meter
   */
  async end(onRead: (at: bigint) => void): Promise<void> {
    const machine = this.#readMachine();
    onRead(machine.at);
    const series = this.#series;
    if (series === undefined) return void this.#forward([], machine);
    const { command } = series;
    command.readParts();
    this.#isEnding = true;
    await command.settle();
    this.#isEnding = false;
    this.#series = undefined;
    const row = series.createRow(command.finishParts(), machine.at);
    this.#forward([row, createEnding(series.columns, machine.at)], machine);
  }

  /** Not while the last window is open: its end has been read already. */
  #scan(): void {
    if (this.#isEnding) return;
    const machine = this.#readMachine();
    const series = this.#series;
    this.#forward(series ? [series.createRow(series.command.readParts(), machine.at)] : [], machine);
  }

  #readMachine(): MachineReading {
    const { clock } = this.#context;
    if (this.#busy) this.#followBreaks(this.#busy);
    const at = clock.wallNs();
    const busyNs = this.#busy?.read(clock.monotonicNs()) ?? NaN;
    return { at, row: createRow(this.#busyColumns, at, Float64Array.of(busyNs / 1e9)) };
  }

  /** The row of the machine comes last. */
  #forward(tables: readonly Table[], { at, row }: MachineReading): bigint {
    for (const table of [...tables, row]) this.#next.consume(table);
    return at;
  }

  /** Series end and restart when the wall clock is stepped. */
  #followBreaks(busy: BusyTimeReader): void {
    const { clock, host } = this.#context;
    const breaks = clock.countBreaks();
    if (breaks === this.#breaks) return;
    this.#breaks = breaks;
    const at = clock.wallNs();
    const ended = [...this.#busyColumns, ...(this.#series?.columns ?? [])];
    busy.restart();
    this.#busyColumns = [createSeries(busyTime, host, at)];
    if (this.#series) {
      const { command } = this.#series;
      this.#series = new CommandSeries(command, at, command.readParts());
    }
    if (ended.length > 0) this.#next.consume(createEnding(ended, at));
  }
}

function createSeries(metric: Metric, resource: Resource, start: bigint): Series {
  return { metric, resource, attributes: {}, start };
}
