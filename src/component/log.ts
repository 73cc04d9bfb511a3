/** Facts of a message: names and values. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a component logs events. A lasting condition is logged when it starts and when it ends. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
