import { createWallClock } from '../linux/clock.js';
import { createSteadyRead, readClocks, wallOffsetNs } from '../linux/clocks.js';
import { createBookFactory, createBookService } from './book-service.js';
import {
  createCommandFactory,
  type CommandFeed,
  type CommandReceiver,
  type ReadyCommand,
} from './command-receiver.js';
import { EnergyBook } from './energy-book.js';
import { validateExecConfig, type ExecConfigSources } from './exec-config.js';

/** The pipelines that measure, as `exec` uses them. Must be closed. */
export interface Session {
  /** What was measured between marks; complete once the session is closed. */
  readonly book: EnergyBook;
  /**
   * Takes a reading of every meter and marks the instant. Rejects when a required component cannot start.
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
  /** Takes a reading of every meter. Rejects when a required component cannot start. */
  flush(): Promise<void>;
  /** Settles what was measured and sends it. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens a session whose components are still starting: the first `mark` or `flush` waits for them.
 * @throws ConfigurationError
 */
export async function openSession(sources: ExecConfigSources): Promise<Session> {
  const feed: CommandFeed = { receiver: undefined };
  // Energy is divided by time: a clock that is set while the command runs must not change either.
  const offsetNs = wallOffsetNs(readClocks());
  const clock = createWallClock(createSteadyRead(offsetNs));
  const book = new EnergyBook(clock.wallNs());
  const own = { command: createCommandFactory(feed), summary: createBookFactory(book) };
  const config = await validateExecConfig(sources, own);
  const service = createBookService(config, clock, offsetNs);
  // What is read before the command begins is worked on when it runs.
  service.hold();
  const started = service.start();
  // `flush` rejects with it.
  started.catch(() => {});
  const flush = async () => {
    await started;
    await service.flush();
  };
  return {
    book,
    async mark() {
      service.release();
      await flush();
      return book.mark(clock.wallNs());
    },
    begin(command) {
      const at = findReceiver(feed).begin(command);
      setImmediate(() => service.release());
      return book.mark(at);
    },
    end: async () => book.mark(await findReceiver(feed).end()),
    flush,
    async close() {
      await started.catch(() => {});
      await service.shutdown();
    },
  };
}

/** The pipeline of exec always names it. */
function findReceiver({ receiver }: CommandFeed): CommandReceiver {
  if (!receiver) throw new Error('Cannot measure: expected the receiver "command", found none');
  return receiver;
}
