import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNameFilter, createNamePattern, findLine, forEachLine, parseLine } from './lines.js';

const text = Buffer.from('swap 1\nwap 2\nfree -3 kB\nlast');

test('findLine finds a label only at the start of a line', () => {
  assert.equal(findLine(text, 'swap '), 5);
  assert.equal(text.toString('latin1', findLine(text, 'wap ')).split('\n', 1)[0], '2');
  assert.equal(findLine(text, 'ree '), -1);
});

test('forEachLine visits every line with its line end, the last one without', () => {
  const lines: string[] = [];
  forEachLine(text, (line) => lines.push(line.toString()));
  assert.deepEqual(lines, ['swap 1\n', 'wap 2\n', 'free -3 kB\n', 'last']);
  forEachLine(Buffer.alloc(0), () => assert.fail('there is no line'));
});

test('parseLine returns the number after a label, or names the file and the label', () => {
  assert.equal(parseLine('/proc/x', text, 'free '), -3);
  for (const label of ['ree ', 'last']) {
    assert.throws(() => parseLine('/proc/x', text, label), {
      message: `Cannot parse /proc/x: expected a line that begins with "${label}" and has a number, found none`,
    });
  }
});

test('createNamePattern matches any text with *, and everything else literally', () => {
  assert.match('a.service', createNamePattern('*.service'));
  assert.match('a(1)-\n.json', createNamePattern('a(1)-*.json'));
  assert.doesNotMatch('a-service', createNamePattern('*.service'));
  assert.doesNotMatch('b.service.d', createNamePattern('*.service'));
});

function select(include: string | null, exclude: string | null): readonly string[] {
  return ['eth0', 'eth1', 'veth2'].filter(createNameFilter({ include, exclude }));
}

test('createNameFilter selects included names, or all, and never excluded ones', () => {
  assert.deepEqual(select(null, null), ['eth0', 'eth1', 'veth2']);
  assert.deepEqual(select('^eth', null), ['eth0', 'eth1']);
  assert.deepEqual(select(null, '^veth'), ['eth0', 'eth1']);
  assert.deepEqual(select('eth', '1$'), ['eth0', 'veth2']);
});
