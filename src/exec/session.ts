import type { ExporterFactory } from '../component/component.js';
import type { ServiceConfig } from '../config/service.js';
import { createWallClock, type Clock } from '../linux/clock.js';
import { createSteadyRead, readClocks, wallOffsetNs } from '../linux/clocks.js';
import { Service } from '../pipeline/service.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { createPlainLog } from '../telemetry/log.js';
import { silentMeter } from '../telemetry/telemetry.js';
import { createCommandFactory, type CommandFeed, type ReadyCommand } from './command-receiver.js';
import { EnergyBook } from './energy-book.js';
import { validateExecConfig, type ExecConfigSources } from './exec-config.js';

/** The pipelines that measure, as `exec` uses them. Must be closed. */
export interface Session {
  /** What was measured between marks; complete once the session is closed. */
  readonly book: EnergyBook;
  /**
   * Takes a reading of every meter and marks the instant.
   * @returns the mark's number
   */
  mark(): Promise<number>;
  /**
   * Lets a command begin and marks the instant.
   * @returns the mark's number
   */
  begin(command: ReadyCommand): number;
  /**
   * Marks that the command has ended now; resolves when all that it used is known.
   * @returns the mark's number
   */
  end(): Promise<number>;
  /** Takes a reading of every meter. */
  flush(): Promise<void>;
  /** Settles what was measured and sends it. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws ConfigurationError, or Error when a required component cannot start */
export async function openSession(sources: ExecConfigSources): Promise<Session> {
  const feed: CommandFeed = { receiver: undefined };
  // Energy is divided by time: a clock that is set while the command runs must not change either.
  const offsetNs = wallOffsetNs(readClocks());
  const clock = createWallClock(createSteadyRead(offsetNs));
  const book = new EnergyBook(clock.wallNs());
  const own = { command: createCommandFactory(feed), summary: createSummaryFactory(book) };
  const config = await validateExecConfig(sources, own);
  const service = createService(config, clock, offsetNs);
  await service.start();
  const { receiver } = feed;
  // The pipeline of exec always names it.
  if (!receiver) throw new Error('Cannot measure: expected the receiver "command", found none');
  return {
    book,
    async mark() {
      await service.flush();
      return book.mark(clock.wallNs());
    },
    begin: (command) => book.mark(receiver.begin(command)),
    end: async () => book.mark(await receiver.end()),
    flush: () => service.flush(),
    close: () => service.shutdown(),
  };
}

function createService(config: ServiceConfig, clock: Clock, offsetNs: bigint): Service {
  const log = createPlainLog(config.telemetry.logs.level);
  return new Service(config, {
    logFor: (kind, id) => (kind && id !== undefined ? log.forComponent(id, kind) : log),
    clock,
    meter: silentMeter,
    host: { attributes: {} },
    sampling: createSampling({ log, meter: silentMeter, wallOffsetNs: offsetNs }),
  });
}

/** The factory of the exporter `summary`, which keeps what the report is made of. */
function createSummaryFactory(book: EnergyBook): ExporterFactory {
  return {
    schema: {},
    create: () => ({
      start() {},
      shutdown() {},
      consume(table) {
        book.take(table);
        return true;
      },
    }),
  };
}
