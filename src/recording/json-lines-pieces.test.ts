import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasOnly, parsePiece, Pieces } from './json-lines-pieces.js';

/** Pieces that end with a semicolon, and the texts that were read. */
function createPieces() {
  const read: string[] = [];
  const pieces = new Pieces(';', (text) => {
    read.push(text);
    return text.startsWith('!') ? undefined : text.toUpperCase();
  });
  const contentsOf = (line: string) => {
    const found: (string | undefined)[] = [];
    for (let at = 0; at < line.length;) {
      const piece = pieces.find(line, at);
      found.push(piece?.content);
      if (piece === undefined) return found;
      at += piece.text.length;
    }
    return found;
  };
  return { pieces, read, contentsOf };
}

test('Pieces reads each piece once, in whatever order it comes', () => {
  const { contentsOf, read } = createPieces();
  assert.deepEqual(contentsOf('a;b;a;b;'), ['A;', 'B;', 'A;', 'B;']);
  assert.deepEqual(contentsOf('b;b;a;c;'), ['B;', 'B;', 'A;', 'C;']);
  assert.deepEqual(read, ['a;', 'b;', 'c;']);
});

test('Pieces finds a piece that begins like the one that followed last', () => {
  const { contentsOf } = createPieces();
  assert.deepEqual(contentsOf('a;bb;'), ['A;', 'BB;']);
  assert.deepEqual(contentsOf('a;b;'), ['A;', 'B;']);
  assert.deepEqual(contentsOf('a;bbb;'), ['A;', 'BBB;']);
});

test('Pieces finds nothing without an end, or where the text cannot be read, and continues afterwards', () => {
  const { contentsOf, read } = createPieces();
  assert.deepEqual(contentsOf('a;b'), ['A;', undefined]);
  assert.deepEqual(contentsOf('a;!;'), ['A;', undefined]);
  assert.deepEqual(contentsOf('a;!;'), ['A;', undefined]);
  assert.deepEqual(contentsOf('a;c;'), ['A;', 'C;']);
  assert.deepEqual(read, ['a;', '!;', '!;', 'c;']);
});

test('Pieces gives one object for equal pieces, until it is cleared', () => {
  const { pieces, read } = createPieces();
  const first = pieces.find('a;', 0);
  assert.equal(pieces.find('x a;'.slice(2), 0), first);
  pieces.clear();
  assert.notEqual(pieces.find('a;', 0), first);
  assert.deepEqual(read, ['a;', 'a;']);
});

test('Pieces starts at the position that it is asked for', () => {
  const { pieces } = createPieces();
  assert.equal(pieces.find('a;b;', 2)?.content, 'B;');
  assert.equal(pieces.find('a;b;', 1)?.content, ';');
});

test('parsePiece completes a piece to an object, and finds nothing in other texts', () => {
  assert.deepEqual(parsePiece('{"a":1', '}'), { a: 1 });
  assert.deepEqual(parsePiece('{"a":[', ']}'), { a: [] });
  assert.equal(parsePiece('{"a":', '}'), undefined);
  assert.equal(parsePiece('[1', ']'), undefined);
});

test('hasOnly compares the names of fields', () => {
  assert.ok(hasOnly({ a: 1, b: undefined }, ['a', 'b', 'c']));
  assert.ok(hasOnly({}, []));
  assert.ok(!hasOnly({ a: 1, d: 2 }, ['a', 'b', 'c']));
});
