/** Typical parser bugs: limits of numbers, nesting, quotes, names of prototypes, broken UTF-8. */
const tokens = [
  ...'0 -1 1e999 NaN 0x - . , ; : = " \' "" \\ / ../ ( ) { } [ ] $ ${ ${env: ${file: $$ * *a %'.split(' '),
  ...'!! !!binary __proto__ constructor toString null true ;q= q=0 */*'.split(' '),
  ...' |\t|\r|\n|\0|&a |<<: |? |- |# |\u{1f525}|\ufeff'.split('|'),
  ...[9, '[[', '{a: ', '(('].map((piece) => String(piece).repeat(50)),
  ...['[', '{"a":', '- ', '${'].map((piece) => piece.repeat(10_000)),
].map((text) => Buffer.from(text));
const bytes = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0xc0];

/** A copy of some bytes with a few changes typical of damage and of attacks. */
export function mutate(source: Buffer, random: () => number): Buffer {
  let mutated = Buffer.from(source);
  const changes = 1 + Math.floor(random() * 6);
  for (let i = 0; i < changes; i += 1) mutated = changeOnce(mutated, random);
  return mutated;
}

function changeOnce(source: Buffer<ArrayBuffer>, random: () => number): Buffer<ArrayBuffer> {
  const at = Math.floor(random() * (source.length + 1));
  const to = Math.min(source.length, at + Math.floor(random() ** 3 * 64));
  const [before, piece, after] = [source.subarray(0, at), source.subarray(at, to), source.subarray(to)];
  switch (Math.floor(random() * 6)) {
    case 0:
      return Buffer.concat([before, Buffer.of(pick(bytes, random)), source.subarray(at + 1)]);
    case 1:
      return Buffer.concat([before, Buffer.of(Math.floor(random() * 256)), source.subarray(at + 1)]);
    case 2:
      return Buffer.concat([before, pick(tokens, random), source.subarray(at)]);
    case 3:
      return Buffer.concat([before, after]);
    case 4:
      return Buffer.concat([
        before,
        ...Array.from({ length: 1 + Math.floor(random() * 8) }, () => piece),
        after,
      ]);
    default:
      return Buffer.from(before);
  }
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)];
}
