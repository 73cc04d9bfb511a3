import { createWallClock } from '../linux/clock.js';
import { createSteadyRead, readClocks, wallOffsetNs } from '../linux/clocks.js';
import {
  createCommandFactory,
  type CommandFeed,
  type CommandReceiver,
  type ReadyCommand,
} from './command-receiver.js';
import { isIdleShared, validateExecConfig, type ExecConfigSources } from './exec-config.js';
import { createOneShotService, createRecorderFactory } from './one-shot-service.js';
import { RunRecorder } from './run-recorder.js';

/** The measuring pipelines of `exec`. Must be closed. */
export interface Session {
  /** The energy between marks; complete once the session is closed. */
  readonly recorder: RunRecorder;
  /**
   * Takes a reading of every meter and marks the instant. Rejects if a required component cannot start.
   * @returns the mark's number
   */
  mark(): Promise<number>;
  /**
   * Starts a command and marks the instant.
   * @returns the mark's number
   */
  begin(command: ReadyCommand): number;
  /** Marks that the command has ended now; resolves when all its usage is known. */
  end(): Promise<void>;
  /** Takes a reading of every meter. Rejects if a required component cannot start. */
  flush(): Promise<void>;
  /** Completes the measurement and exports it. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens a session whose components are still starting: the first `mark` or `flush` waits for them.
 * @throws ConfigurationError
 */
export async function openSession(sources: ExecConfigSources): Promise<Session> {
  const feed: CommandFeed = { receiver: undefined };
  // Energy is divided by time, and setting the clock while the command runs must change neither.
  const offsetNs = wallOffsetNs(readClocks());
  const clock = createWallClock(createSteadyRead(offsetNs));
  const recorder = new RunRecorder(clock.wallNs());
  const own = { command: createCommandFactory(feed), summary: createRecorderFactory(recorder) };
  const config = await validateExecConfig(sources, own);
  if (isIdleShared(config)) recorder.shareIdle();
  const service = createOneShotService(config, clock, offsetNs);
  // Readings before the command starts are processed while it runs.
  service.hold();
  const started = service.start();
  // `flush` rejects with it.
  started.catch(() => {});
  const flush = async () => {
    await started;
    await service.flush();
  };
  return {
    recorder,
    async mark() {
      service.release();
      await flush();
      return recorder.mark(clock.wallNs());
    },
    begin(command) {
      const at = findReceiver(feed).begin(command);
      setImmediate(() => service.release());
      return recorder.mark(at);
    },
    end: () => findReceiver(feed).end((at) => void recorder.mark(at)),
    flush,
    async close() {
      await started.catch(() => {});
      await service.shutdown();
    },
  };
}

/** The pipeline of exec always contains it. */
function findReceiver({ receiver }: CommandFeed): CommandReceiver {
  if (!receiver) throw new Error('Cannot measure: expected the receiver "command", found none');
  return receiver;
}
