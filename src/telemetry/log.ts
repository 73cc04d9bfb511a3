import type { ComponentKind } from '../component/kinds.js';
import type { Log, LogFields } from '../component/log.js';
import { escapeControls } from '../component/output.js';
import { describeError } from '../errors.js';
import { surviveBadOutput } from './write-message.js';

/** Minimum severity of the messages that are written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The root of the components' logs. */
export interface RootLog extends Log {
  /** The log of one component, whose messages contain its id. */
  forComponent(id: string, kind: ComponentKind): Log;
  /** Changes how messages are written from now on, including those of components. */
  configure(style: LogStyle): Promise<void>;
}

/** The level and format of messages. */
export interface LogStyle {
  readonly level: LogLevel;
  /** console: `2026-11-21T12:00:00.000Z info rapl: message key=value`; json: one object per line. */
  readonly format: 'console' | 'json';
}

/** Where lines are written: standard error or, in tests, a substitute. */
export interface LogStream {
  write(line: string): unknown;
}

export interface LogOptions extends LogStyle {
  readonly stream?: LogStream;
}

/** The log of the agent. A repeated warning is written once, with a count later. */
export async function createLog({ stream = standardError, ...first }: LogOptions): Promise<RootLog> {
  let style: LogStyle = first;
  let json: WriteFor | undefined;
  const configure = async (next: LogStyle): Promise<void> => {
    if (next.format === 'json') json ??= await writeObjects(stream);
    style = next;
  };
  await configure(first);
  const repeated = new RepeatedWarnings();
  const logFor = (id?: string, kind?: ComponentKind): Log => {
    const people = writeLines(stream)(id);
    let programs: Write | undefined;
    const choose = () => (style.format === 'json' ? (programs ??= json?.(id, kind)) : undefined) ?? people;
    const log = createLevels(
      () => style.level,
      (...said) => choose()(...said),
    );
    return { ...log, warn: repeated.for(id, log.warn) };
  };
  return { ...logFor(), forComponent: (id, kind) => logFor(id, kind), configure };
}

/** Creates the function that writes the messages of a component, or of the agent itself. */
type WriteFor = (id?: string, kind?: ComponentKind) => Write;

function writeLines(stream: LogStream): WriteFor {
  return (id) =>
    (level, message, fields = {}) => {
      const line = formatMessage(id, message, plainFields(fields));
      stream.write(`${new Date().toISOString()} ${level} ${line}\n`);
    };
}

/** Loads the logger, which only this format uses. */
async function writeObjects(stream: LogStream): Promise<WriteFor> {
  const { pino } = await import('pino');
  const logger = pino(
    {
      // Messages below the configured level, which may change, do not reach the logger.
      level: 'debug',
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void stream.write(line) },
  );
  return (id, kind) => {
    const own =
      id === undefined
        ? logger
        : logger.child({ 'otelcol.component.id': id, 'otelcol.component.kind': kind });
    return (level, message, fields = {}) => own[level](plainFields(fields), message);
  };
}

/** A log without a logger, for short-lived commands: `joulemetry: warn: rapl: message key=value`. */
export function createPlainLog(
  level: LogLevel,
  stream: LogStream = standardError,
): Omit<RootLog, 'configure'> {
  const repeated = new RepeatedWarnings();
  const logFor = (component: string | undefined) => {
    const log = createLevels(
      () => level,
      (name, message, fields = {}) => {
        const line = formatMessage(component, message, plainFields(fields));
        stream.write(`joulemetry: ${name}: ${line}\n`);
      },
    );
    return { ...log, warn: repeated.for(component, log.warn) };
  };
  return { ...logFor(undefined), forComponent: (id) => logFor(id) };
}

type Write = (level: LogLevel, message: string, fields?: LogFields) => void;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function createLevels(least: () => LogLevel, write: Write): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (levels.indexOf(level) >= levels.indexOf(least())) write(level, message, fields);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Opened by the first message. When its reader closes, messages are lost, and the process continues. */
const standardError: LogStream = {
  write(line) {
    surviveBadOutput();
    return process.stderr.write(line);
  },
};

const secretNames = /password|passwd|secret|token|authorization|cookie|api[-_]?key/iu;

/** Fields as they may be written: errors in one line, big integers as text, likely secrets left out. */
function plainFields(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretNames.test(name) ? '[redacted]' : plainValue(value),
    ]),
  );
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  return typeof value === 'bigint' ? String(value) : value;
}

/** A message and its fields in one line of text: `rapl: message key=value`. */
function formatMessage(component: string | undefined, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`);
  const text = `${component === undefined ? '' : `${component}: `}${message}${pairs.join('')}`;
  return escapeControls(text);
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/u.test(value)) return value;
  return JSON.stringify(value) ?? String(value);
}

type Warn = (message: string, fields?: LogFields) => void;

interface Repetition {
  readonly warn: Warn;
  readonly message: string;
  /** Number of repetitions since the warning was written. */
  count: number;
}

const intervalMs = 60_000;
/** Warnings that differ each time must not fill the memory. */
const maxKnown = 1000;

/** Writes a repeated warning once, and the number of repetitions a minute later, or at the end of the process. */
export class RepeatedWarnings {
  readonly #known = new Map<string, Repetition>();
  #timer: NodeJS.Timeout | undefined;
  readonly #onExit = () => this.flush();

  /**
   * The warning function of a component.
   * @param component its id; undefined: the service itself
   * @param warn writes a warning
   */
  for(component: string | undefined, warn: Warn): Warn {
    return (message, fields) => {
      const key = `${component ?? ''}\n${message}`;
      const known = this.#known.get(key);
      if (known === undefined) this.#begin(key, { warn, message, count: 0 }, fields);
      else known.count += 1;
    };
  }

  /** Writes the number of repetitions of each warning, and discards them. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    process.off('exit', this.#onExit);
    const repetitions = [...this.#known.values()];
    this.#known.clear();
    for (const { warn, message, count } of repetitions) {
      if (count > 0) warn(`${message} (repeated ${count} ${count === 1 ? 'time' : 'times'})`);
    }
  }

  #begin(key: string, repetition: Repetition, fields: LogFields | undefined): void {
    repetition.warn(repetition.message, fields);
    if (this.#known.size >= maxKnown) return;
    this.#known.set(key, repetition);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), intervalMs).unref();
    process.once('exit', this.#onExit);
  }
}
