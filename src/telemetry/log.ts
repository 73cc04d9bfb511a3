import type { ComponentKind } from '../component/component.js';
import type { Log, LogFields } from '../component/log.js';
import { formatMessage, plainFields } from './log-line.js';
import { RepeatedWarnings } from './repeated-warnings.js';

/** The least severe messages that are written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A log that components get theirs from. */
export interface RootLog extends Log {
  /** The log of one component, whose messages say whose they are. */
  forComponent(id: string, kind: ComponentKind): Log;
}

/** Where lines are written: the standard error or, in tests, something like it. */
export interface LogStream {
  write(line: string): unknown;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** console: `2026-11-21T12:00:00.000Z info rapl: message key=value`; json: one object per line. */
  readonly format: 'console' | 'json';
  readonly stream?: LogStream;
}

/** What stands in a line of the logger, before it is written for people. */
interface LogRecord {
  readonly level: string;
  readonly ts: string;
  readonly msg: string;
  readonly 'otelcol.component.id'?: string;
  readonly 'otelcol.component.kind'?: string;
}

/** The log of the agent. A repeated warning is written once, with a count later. Loads the logger when called, since a short command does without. */
export async function createLog({ level, format, stream = openStderr() }: LogOptions): Promise<RootLog> {
  const { pino } = await import('pino');
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? { write: (line) => void stream.write(line) } : writeForPeople(stream),
  );
  const repeated = new RepeatedWarnings();
  const logFor = (child: Logger, id?: string) => {
    const log = wrap(child);
    return { ...log, warn: repeated.for(id, log.warn) };
  };
  return {
    ...logFor(logger),
    forComponent: (id, kind) =>
      logFor(logger.child({ 'otelcol.component.id': id, 'otelcol.component.kind': kind }), id),
  };
}

/** A log without a logger, for commands that are over soon: `joulemetry: warn: rapl: message key=value`. */
export function createPlainLog(level: LogLevel, stream: LogStream = openStderr()): RootLog {
  const repeated = new RepeatedWarnings();
  const logFor = (component: string | undefined) => {
    const log = createLevels(level, (name, message, fields = {}) => {
      const line = formatMessage(component, message, plainFields(fields));
      stream.write(`joulemetry: ${name}: ${line}\n`);
    });
    return { ...log, warn: repeated.for(component, log.warn) };
  };
  return { ...logFor(undefined), forComponent: (id) => logFor(id) };
}

type Write = (level: LogLevel, message: string, fields?: LogFields) => void;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function createLevels(least: LogLevel, write: Write): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (levels.indexOf(level) >= levels.indexOf(least)) write(level, message, fields);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What a logger has to understand. */
type Logger = Readonly<Record<LogLevel, (fields: object, message: string) => void>>;

function wrap(logger: Logger): Log {
  // The logger itself leaves out what is not severe enough.
  return createLevels('debug', (level, message, fields = {}) => logger[level](plainFields(fields), message));
}

function writeForPeople(stream: LogStream): LogStream {
  return {
    write(line) {
      // The logger has just written it, with these fields at least.
      const { level, ts, msg, ...rest } = JSON.parse(line) as LogRecord;
      const { 'otelcol.component.id': id, 'otelcol.component.kind': _, ...fields } = rest;
      stream.write(`${ts} ${level} ${formatMessage(id, msg, fields)}\n`);
    },
  };
}

let isGuarded = false;

/** The standard error. When it is no longer read, messages are lost, and the work goes on. */
function openStderr(): LogStream {
  if (!isGuarded) process.stderr.on('error', () => {});
  isGuarded = true;
  return process.stderr;
}
