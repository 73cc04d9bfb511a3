const lineBreak = 10;

/** A line of a text. */
export interface Line {
  readonly text: string;
  /** False for what stands after the last line break: it may be cut off anywhere. */
  readonly isWhole: boolean;
}

/** The lines of a text, those of each piece together. */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncIterable<readonly Line[]> {
  let rest: Buffer[] = [];
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(lineBreak);
    if (end < 0) {
      rest.push(chunk);
      continue;
    }
    const whole = Buffer.concat([...rest, chunk.subarray(0, end)]).toString();
    rest = [chunk.subarray(end + 1)];
    yield whole.split('\n').map((text) => ({ text, isWhole: true }));
  }
  const text = Buffer.concat(rest).toString();
  if (text !== '') yield [{ text, isWhole: false }];
}
