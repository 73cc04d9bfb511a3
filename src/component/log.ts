/** Facts that go with a message: names and values. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a component logs what happened. A state that lasts is logged when it begins and when it ends. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
