import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../../testing/temporary-folder.fixture.js';

const structKind = 4 << 24;
const withBitfields = 0x8000_0000;
const names = [
  '',
  'int',
  'task_struct',
  'pid',
  'se',
  'sched_entity',
  'runtime',
  'entity_alias',
  'flag',
  'colour',
  'red',
  'iterate',
];

/** Offset of a name in the string section. */
function at(name: string): number {
  return names.slice(0, names.indexOf(name)).join('\0').length + (name === '' ? 0 : 1);
}

// int; sched_entity { int; int runtime }; alias of it; union { int pid; int }; task_struct { int; union; alias se;
// int flag : 1 }; enum colour { red = -3 }; the function iterate.
const types = [
  [at('int'), 1 << 24, 4, 32],
  [at('sched_entity'), structKind | 2, 8, at('int'), 1, 0, at('runtime'), 1, 32],
  [at('entity_alias'), 8 << 24, 2],
  [0, (5 << 24) | 2, 4, at('pid'), 1, 0, at('int'), 1, 0],
  [
    at('task_struct'),
    (structKind | withBitfields | 4) >>> 0,
    24,
    at('int'),
    1,
    0,
    0,
    4,
    32,
    at('se'),
    3,
    64,
    at('flag'),
    1,
    0x0100_0080,
  ],
  [at('colour'), (6 << 24) | 1, 4, at('red'), 0xffff_fffd],
  [at('iterate'), 12 << 24, 0],
];

/** Writes a type description in the kernel's format. */
export function createTypesFile(change: (file: Buffer) => Buffer = (file) => file): string {
  const words = Buffer.from(Uint32Array.from(types.flat()).buffer);
  const strings = Buffer.from(`${names.join('\0')}\0`);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header[2] = 1;
  [24, 0, words.length, words.length, strings.length].forEach((value, index) =>
    header.writeUInt32LE(value, 4 + index * 4),
  );
  const path = join(createFolder(), 'vmlinux');
  writeFileSync(path, change(Buffer.concat([header, words, strings])));
  return path;
}
