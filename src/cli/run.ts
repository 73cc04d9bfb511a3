import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import type { Log } from '../component/log.js';
import type { ServiceConfig } from '../config/service.js';
import { reapOrphansAsInit } from '../linux/children.js';
import { createWallClock } from '../linux/clock.js';
import { exitAtOnce, giveBackFreedMemory, trimFreedMemory } from '../linux/libc.js';
import { parseOptions } from '../parse-options.js';
import type { Environment } from '../pipeline/graph.js';
import { Service } from '../pipeline/service.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { createLog, type RootLog } from '../telemetry/log.js';
import { watchOwnEnergy } from '../telemetry/own-metrics.js';
import { startOwnTelemetry } from '../telemetry/telemetry.js';
import { TelemetryChanges } from '../telemetry/telemetry-changes.js';
import { readVersion } from '../version.js';
import { avoidFullCollections, limitCompaction, stopHeapGrowth } from '../young-generation.js';
import { exitCodes, type Command } from './command.js';
import { configOptions, configUsage, validateConfigOf } from './config-options.js';
import { ConfigWatch, readContents } from './config-watch.js';
import { describeStates, ServiceManager } from './service-manager.js';
import { endByHangUp, waitForEnd, type EndingSignal } from './signals.js';

/** V8 of Node 20. Later versions have a cheaper compiler in between, and no such flag. */
const hasTierUpBudget = process.versions.v8.startsWith('11.');

/**
 * Lets V8 optimise a function only after it has run for long. With the default, an agent at 1 Hz with 300
 * processes takes more CPU time for compiling in its first eight minutes than it saves. With five times this
 * budget, it takes 8 to 15 % more in its first minutes, since almost nothing is optimised.
 */
function delayTierUp(): void {
  if (hasTierUpBudget) setFlagsFromString('--interrupt-budget=400000');
}

/**
 * Restores V8's default optimisation budget. At 1 kHz, a sampling loop would take minutes to reach the other
 * one, and interpreted it takes twice the time: 17 us more per sample, on CPUs whose caches are shared.
 */
function allowTierUp(): void {
  if (hasTierUpBudget) setFlagsFromString('--interrupt-budget=67584');
}

/** For intervals of a few milliseconds or less. */
function preparePunctuality(): void {
  allowTierUp();
  avoidFullCollections();
}

/** By then all measurements are exported or dropped. */
const shutdownMs = 5000;
/** A start that ends within this time after a signal loses no reading. */
const startGraceMs = 500;
/** Time for closing sockets and threads. */
const leaveAfterMs = 200;
const longestTimerMs = 0x7fff_ffff;
/** By then what the start has allocated is free. */
const firstTrimMs = 10_000;
const trimEveryMs = 60_000;
/** Less than the time between two full collections. */
const limitCompactionEveryMs = 2000;
/** Maximum age of the status that a service manager shows. */
const showEveryMs = 5000;

/** The agent: measures until a signal stops it. */
export const command: Command = {
  name: 'run',
  summary: 'Measure and export until stopped (the default command)',
  usage: `Usage: joulemetry [run] [OPTIONS]

Starts the pipelines of the configuration and runs until it receives SIGINT or
SIGTERM. It then exports what it has measured, within 5 seconds, and exits. A
second signal makes it exit at once.

On SIGHUP it reads the configuration again: new components start, removed ones
stop, and unchanged ones are not touched. If the configuration is invalid, or a
component cannot start, nothing changes. If its terminal has been closed, SIGHUP
shuts it down.

Exits with 1 if it cannot start, or if a file could not be replayed.

Options:
${configUsage}
      --watch-config    read the configuration again when a file changes
`,
  async run(args) {
    delayTierUp();
    stopHeapGrowth();
    giveBackFreedMemory();
    const options = { ...configOptions, 'watch-config': { type: 'boolean' } } as const;
    const values = parseOptions({ args: [...args], options }).values;
    const { config = [], set = [], 'watch-config': isWatching = false } = values;
    // Registered before anything that takes time: a signal during the start ends it in order, too.
    const hangUps = new EventEmitter();
    const end = waitForEnd(() => hangUps.emit('hangUp'));
    reapOrphansAsInit(new Set());
    const loadConfig = () => validateConfigOf({ config, set });
    return runService({ loadConfig, watched: isWatching ? config.map(pathOf) : [] }, { end, hangUps });
  },
};

function pathOf(file: string): string {
  return file.replace(/^file:/u, '');
}

/** Where the configuration comes from. */
interface Source {
  loadConfig(): Promise<ServiceConfig>;
  /** Paths of the files that are watched. */
  readonly watched: readonly string[];
}

/** What signals request from the agent. */
interface Signals {
  readonly end: Promise<EndingSignal>;
  /** Emits `hangUp` on each SIGHUP that does not end the agent. */
  readonly hangUps: EventEmitter;
}

/** @returns the exit code */
async function runService({ loadConfig, watched }: Source, { end, hangUps }: Signals): Promise<number> {
  const content = readContents(watched);
  const config = await loadConfig();
  const { level, encoding } = config.telemetry.logs;
  const log = await createLog({ level, format: encoding });
  log.info(`Starting joulemetry ${readVersion()}`);
  const manager = new ServiceManager(log);
  const observer = watchOwnEnergy();
  const telemetry = await startOwnTelemetry(config.telemetry, log, () => observer.readJoules());
  const { meter } = telemetry;
  const changes = new TelemetryChanges(config.telemetry, log, telemetry);
  // Node exits when only a promise is pending, for example that of a replay that stays.
  const stay = setInterval(() => {}, longestTimerMs);
  const problems: string[] = [];
  const finished = new EventEmitter();
  const last = once(finished, 'finish').then(() => 'every receiver has passed on its last table');
  const requested = once(finished, 'request').then(() => 'an extension requested it');
  let watching: ConfigWatch | undefined;
  try {
    const service: Service = new Service(config, {
      ...environmentOf(log),
      meter,
      observer,
      onFinish: () => finished.emit('finish'),
      onProblem: (problem) => problems.push(problem),
      onShutdownRequest: () => finished.emit('request'),
      loadConfig,
      changeTelemetry: (next) => changes.apply(next),
      // Before the start is complete and after a shutdown has begun, the agent is not ready.
      onReloading: () => service.isReady && manager.reloading(),
      onReloaded: () => service.isReady && manager.ready(describeStates(service.agent.listComponents())),
      sampling: createSampling({ log, meter, onThread: stopHeapGrowth, onFast: preparePunctuality }),
    });
    hangUps.on('hangUp', () => {
      log.info('Received SIGHUP: reading the configuration again');
      void service.reload();
    });
    let showing: NodeJS.Timeout | undefined;
    if (await startUntilSignal(service, end)) {
      service.beginAttributing();
      log.info('Everything is ready: measuring');
      showing = followService(service, manager);
      trimFromNowOn();
      watching = watchFiles({ loadConfig, watched, content }, () => void service.reload(), log);
    }
    const delivered = last.then(async (reason) => {
      // A replay is faster than a network, and a shutdown is short.
      await service.drain();
      return reason;
    });
    const reason = await Promise.race([end.then((signal) => `received ${signal}`), requested, delivered]);
    clearInterval(showing);
    log.info(`Shutting down: ${reason}`);
    watching?.close();
    manager.stopping(`Shutting down: ${reason}`);
    leaveInTime(log);
    await service.shutdown();
    if (problems.length === 0) return exitCodes.success;
    log.error(`Ended with a failure: ${problems.join('; ')}`);
    return exitCodes.failure;
  } finally {
    clearInterval(stay);
    await telemetry.shutdown();
    manager.close();
    if (await hasHungUp(end)) endByHangUp();
    leaveBehind();
  }
}

/**
 * Starts a service. A signal meanwhile does not wait for a component that takes long.
 * @returns false when a signal has arrived and not everything has started
 */
async function startUntilSignal(service: Service, end: Promise<EndingSignal>): Promise<boolean> {
  const started = service.start().then(() => true);
  // After a signal, the shutdown makes it fail.
  started.catch(() => {});
  const settled = new AbortController();
  const late = end.then(() => sleep(startGraceMs, false, { signal: settled.signal }));
  // A signal after the start does not wait.
  late.catch(() => {});
  try {
    return await Promise.race([started, late]);
  } finally {
    settled.abort();
  }
}

/** Calls back when a configuration file has changed. */
function watchFiles(
  { loadConfig, watched, content }: Source & { readonly content: string },
  change: () => void,
  log: Log,
): ConfigWatch | undefined {
  if (watched.length === 0) return undefined;
  const isValid = () =>
    loadConfig().then(
      () => true,
      () => false,
    );
  return new ConfigWatch({
    files: watched,
    content,
    isValid,
    onChange() {
      log.info('A file of the configuration has changed: reading it again');
      change();
    },
    onProblem: (problem) => log.warn(problem),
  });
}

/** Notifies a service manager when everything is running, and from then on of failures. */
function followService({ agent }: Service, manager: ServiceManager): NodeJS.Timeout {
  manager.ready(describeStates(agent.listComponents()));
  manager.watch(() => agent.findStall());
  return setInterval(() => manager.show(describeStates(agent.listComponents())), showEveryMs).unref();
}

/** Returns memory to the kernel after the start, and then periodically, and keeps peaks low. */
function trimFromNowOn(): void {
  setTimeout(() => void trimFreedMemory(), firstTrimMs).unref();
  setInterval(() => void trimFreedMemory(), trimEveryMs).unref();
  setInterval(limitCompaction, limitCompactionEveryMs).unref();
}

/** Whether the terminal is gone. */
async function hasHungUp(end: Promise<EndingSignal>): Promise<boolean> {
  return (await Promise.race([end, Promise.resolve()])) === 'SIGHUP';
}

/** Ends the process when a shutdown takes too long, for example on a machine without free CPU time. */
function leaveInTime(log: RootLog): void {
  const leave = () => {
    log.error(
      `Exiting: the shutdown took longer than ${shutdownMs / 1000} s, data that was not exported is lost`,
    );
    exitWithoutThreads(exitCodes.failure);
  };
  setTimeout(leave, shutdownMs).unref();
}

/** Ends the process although something did not stop in time, for example a request without an answer. */
function leaveBehind(): void {
  setTimeout(exitWithoutThreads, leaveAfterMs).unref();
}

/** Also ends threads that do not end. */
function exitWithoutThreads(code?: number): void {
  process.once('exit', exitAtOnce);
  process.exit(code);
}

function environmentOf(log: RootLog): Pick<Environment, 'logFor' | 'clock' | 'host'> {
  return {
    logFor: (kind, id) => (kind && id !== undefined ? log.forComponent(id, kind) : log),
    clock: createWallClock(),
    host: { attributes: {} },
  };
}
