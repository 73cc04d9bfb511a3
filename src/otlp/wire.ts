// The protobuf wire format (https://protobuf.dev/programming-guides/encoding), as far as metrics need it.

/** A field's type on the wire, the lowest three bits of its tag. */
export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

/** The byte that begins a field; enough for field numbers up to 15, which is all that metrics have. */
export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** How many bytes the varint of a whole number below 2^53 takes. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** How many bytes a message of this length takes together with its tag and its length. */
export function messageLength(length: number): number {
  return 1 + varintLength(length) + length;
}

/**
 * Writes a whole number below 2^53 as a varint.
 * @returns where the next byte goes
 */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    target[next] = (rest % 0x80) | 0x80;
    next += 1;
    rest = Math.floor(rest / 0x80);
  }
  target[next] = rest;
  return next + 1;
}

/**
 * Writes a tag and a length, the beginning of a message inside a message.
 * @returns where the message's first byte goes
 */
export function writeMessageStart(target: Uint8Array, at: number, tag: number, length: number): number {
  target[at] = tag;
  return writeVarint(target, at + 1, length);
}
