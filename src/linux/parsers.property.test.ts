import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fileBytes, holdsFor, textOf } from '../testing/property.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { parseCpuTimes, parseForks, parseNumbers } from './procfs.js';
import { findInteger, parseCounter } from './sysfs.js';
import { parseCpuList } from './topology.js';

test('parseNumbers gives back the numbers of any line', () => {
  const line = fc.record({
    numbers: fc.array(fc.maxSafeInteger(), { maxLength: 12 }),
    gap: fc.constantFrom(' ', '  ', '     '),
    rest: fc.constantFrom('', '\n', '\n12 13', ' x 5'),
  });
  holdsFor(line, ({ numbers, gap, rest }) => {
    const into = new Float64Array(20);
    const text = Buffer.from(`${gap}${numbers.join(gap)}${rest}`);
    assert.deepEqual([...into.subarray(0, parseNumbers(text, 0, into))], numbers.map(plusZero));
  });
});

/** A minus before 0 is none. */
function plusZero(value: number): number {
  return value === 0 ? 0 : value;
}

test('parseNumbers gives numbers and never more than there is room for, whatever it reads', () => {
  holdsFor(fc.tuple(fileBytes, fc.nat(320), fc.nat(5)), ([bytes, from, room]) => {
    const into = new Float64Array(room);
    const count = parseNumbers(bytes, from, into);
    assert.ok(count <= room && into.every((value) => !Number.isNaN(value)));
  });
});

/** As many columns as a kernel of today has. */
function tenOf(values: readonly number[]): readonly number[] {
  return Array.from({ length: 10 }, (_, i) => values[i] ?? 0);
}

const times = fc.array(fc.nat(2 ** 31), { minLength: 4, maxLength: 12 });

test('parseCpuTimes gives back what stands there, also where the kernel has fewer or more columns', () => {
  const stat = fc.record({
    total: times,
    cpus: fc.uniqueArray(fc.tuple(fc.nat(4095), times), { selector: ([cpu]) => cpu, maxLength: 8 }),
  });
  holdsFor(stat, ({ total, cpus }) => {
    const lines = [`cpu  ${total.join(' ')}`, ...cpus.map(([cpu, own]) => `cpu${cpu} ${own.join(' ')}`)];
    const parsed = parseCpuTimes(Buffer.from(`${lines.join('\n')}\nintr 1 2 3\nprocesses 7\n`));
    assert.deepEqual(Object.values(parsed.total), tenOf(total));
    assert.deepEqual(
      [...parsed.byCpu].map(([cpu, own]) => [cpu, Object.values(own)]),
      cpus.map(([cpu, own]) => [cpu, tenOf(own)]),
    );
  });
});

test('parseCpuTimes and parseForks understand any file or say that they do not', () => {
  holdsFor(fc.tuple(fc.constantFrom('', 'cpu ', 'cpu1', 'cpu  1 2\ncpu'), fileBytes), ([head, tail]) => {
    const bytes = Buffer.concat([Buffer.from(head), tail]);
    assert.equal(typeof parseForks(bytes), 'number');
    try {
      const { total, byCpu } = parseCpuTimes(bytes);
      for (const own of [total, ...byCpu.values()]) {
        assert.ok(Object.values(own).every((value) => !Number.isNaN(value)));
      }
    } catch (error) {
      assert.match(String(error), /^Error: Cannot parse \/proc\/stat: /u);
    }
  });
});

test('parseCounter gives back every counter that a double holds, and nothing for what is none', () => {
  holdsFor(fc.maxSafeNat(), (value) => {
    const bytes = Buffer.from(`${value}\njunk`);
    assert.equal(parseCounter(bytes, bytes.length - 4), value);
    assert.equal(parseCounter(bytes, bytes.length - 5), NaN);
  });
  holdsFor(fileBytes, (bytes) => {
    const text = bytes.toString('latin1');
    const isCounter = /^\d+\n$/u.test(text) && Number(text) <= Number.MAX_SAFE_INTEGER;
    assert.equal(parseCounter(bytes, bytes.length), isCounter ? Number(text) : NaN);
  });
});

test('findInteger gives back whole numbers, and nothing for any other file', () => {
  const folder = createFolder();
  const path = join(folder, 'file');
  holdsFor(fc.maxSafeInteger(), (value) => {
    writeFileSync(path, `${value}\n`);
    assert.equal(findInteger(path), value === 0 ? 0 : value);
  });
  holdsFor(
    fc.oneof(
      fileBytes,
      textOf('0123456789', 400).map((text) => Buffer.from(text)),
    ),
    (bytes) => {
      writeFileSync(path, bytes);
      const found = findInteger(path);
      assert.ok(found === undefined || Number.isFinite(found), `${found}`);
    },
  );
});

test('parseCpuList gives back the CPUs of any list, and only CPUs for any text', () => {
  const ranges = fc.array(fc.tuple(fc.nat(1000), fc.nat(5)), { minLength: 1, maxLength: 5 });
  holdsFor(ranges, (parts) => {
    const text = parts
      .map(([first, more]) => (more === 0 ? `${first}` : `${first}-${first + more}`))
      .join(',');
    const cpus = parts.flatMap(([first, more]) => Array.from({ length: more + 1 }, (_, i) => first + i));
    assert.deepEqual(parseCpuList(`${text}\n`), cpus);
  });
  const text = fc.oneof(fc.string(), textOf('0123456789-,\n x', 30));
  holdsFor(text, (any) => {
    assert.ok(parseCpuList(any).every((cpu) => Number.isSafeInteger(cpu) && cpu >= 0));
  });
});
