import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { identifyCgroup } from '../../src/identity/cgroup.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { fileBytes, holdsFor, textOf } from '../../src/testing/property.fixture.js';
import { ProcessIo } from './process-io.js';

/** Names that the kernel accepts: up to 15 bytes other than 0, mainly parentheses and line ends. */
const name = fc.oneof(
  fc.uint8Array({ min: 1, maxLength: 15 }),
  textOf(') (\n1 S', 15).map((text) => Buffer.from(text)),
);

const fields = fc.array(fc.integer({ min: -1, max: 2 ** 50 }), { minLength: 49, maxLength: 49 });

test('ProcessStat returns name and numbers for any process name', () => {
  const stat = fc.record({ pid: fc.nat(), name, state: fc.constantFrom(...'RSDZTtXI'.split('')), fields });
  holdsFor(stat, ({ pid, name: bytes, state, fields: numbers }) => {
    const text = Buffer.concat([
      Buffer.from(`${pid} (`),
      bytes,
      Buffer.from(`) ${state} ${numbers.join(' ')}\n`),
    ]);
    const parsed = new ProcessStat();
    // Bytes left in the buffer by an earlier, longer reading are ignored.
    assert.ok(parsed.parse(Buffer.concat([text, Buffer.from(') Z 1 2 3')]), text.length));
    assert.deepEqual([...parsed.copyName()], [...bytes]);
    assert.equal(parsed.isZombie, state === 'Z' || state === 'X');
    assert.deepEqual(
      [parsed.parentPid, parsed.userTicks, parsed.systemTicks, parsed.startTicks, parsed.residentPages],
      [0, 10, 11, 18, 20].map((i) => numbers[i]),
    );
  });
});

test('ProcessStat rejects or parses any bytes', () => {
  holdsFor(fc.tuple(fc.constantFrom('', '1 (', '1 (a) S 1 2 3 4 5 6'), fileBytes), ([head, tail]) => {
    const bytes = Buffer.concat([Buffer.from(head), tail]);
    const stat = new ProcessStat();
    if (stat.parse(bytes, bytes.length)) assert.ok(!Number.isNaN(stat.userTicks + stat.residentPages));
  });
});

test('ProcessIo returns the bytes of a file, and rejects or parses any other', () => {
  holdsFor(fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()), ([read, written]) => {
    const io = new ProcessIo();
    const text = `rchar: 5\nwchar: 6\nsyscr: 1\nsyscw: 2\nread_bytes: ${read}\nwrite_bytes: ${written}\ncancelled_write_bytes: 9\n`;
    assert.ok(io.parse(Buffer.from(text)));
    assert.deepEqual([io.readBytes, io.writtenBytes], [read, written]);
  });
  holdsFor(fileBytes, (bytes) => {
    const io = new ProcessIo();
    assert.equal(io.parse(bytes), !Number.isNaN(io.readBytes + io.writtenBytes));
  });
});

const path = fc
  .array(
    fc.string({ minLength: 1, maxLength: 12 }).map((part) => part.replaceAll(/[/\n]/gu, '_')),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => `/${parts.join('/')}`);

test('identifyCgroup returns the version 2 path, also with colons and spaces', () => {
  holdsFor(path, (own) => {
    const wanted = own.endsWith(' (deleted)') ? own.slice(0, -' (deleted)'.length) : own;
    assert.equal(identifyCgroup(`1:name=systemd:/\n0::${own}\n`).line, `0::${wanted}`);
    assert.equal(identifyCgroup(`0::${own} (deleted)\n`).line, `0::${own}`);
  });
});

test('identifyCgroup returns one line for any text', () => {
  holdsFor(fc.oneof(fc.string(), textOf('0123:/\nab ', 60)), (text) => {
    assert.notEqual(identifyCgroup(text).line, '');
  });
});
