const lineBreak = 10;

/** A line of a text. */
export interface Line {
  readonly text: string;
  /** False for what stands after the last line break: it may be cut off anywhere. */
  readonly isWhole: boolean;
}

/** Ours are of 1 MB; what goes on much longer without a line break is no text. */
const maxLineMegabytes = 64;

/**
 * The lines of a text, those of each piece together.
 * @throws Error when a line is too long
 */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncIterable<readonly Line[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(lineBreak);
    if (end < 0) {
      rest.push(chunk);
      restBytes += chunk.length;
      if (restBytes <= maxLineMegabytes * 2 ** 20) continue;
      throw new Error(`expected lines of at most ${maxLineMegabytes} MiB, found a longer one`);
    }
    const whole = Buffer.concat([...rest, chunk.subarray(0, end)]).toString();
    rest = [chunk.subarray(end + 1)];
    restBytes = rest[0].length;
    yield whole.split('\n').map((text) => ({ text, isWhole: true }));
  }
  const text = Buffer.concat(rest).toString();
  if (text !== '') yield [{ text, isWhole: false }];
}
