/** A parser with valid inputs. */
export interface Target {
  readonly name: string;
  readonly examples: readonly Buffer[];
  /** Built-in errors that it may throw for an invalid input. */
  readonly mayThrow?: readonly ErrorConstructor[];
  parse(input: Buffer): unknown;
}

export function texts(...examples: readonly string[]): readonly Buffer[] {
  return examples.map((text) => Buffer.from(text));
}
