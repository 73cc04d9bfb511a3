/** A parser, and inputs that it understands. */
export interface Target {
  readonly name: string;
  readonly examples: readonly Buffer[];
  /** Kinds of built-in errors that it may throw for an input that it does not understand. */
  readonly mayThrow?: readonly ErrorConstructor[];
  parse(input: Buffer): unknown;
}

export function texts(...examples: readonly string[]): readonly Buffer[] {
  return examples.map((text) => Buffer.from(text));
}
