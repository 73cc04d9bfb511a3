import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Assembler } from './assembler.js';

function encode(build: (code: Assembler) => Assembler): readonly string[] {
  const bytes = build(new Assembler()).encode().toString('hex');
  return bytes.match(/.{16}/g) ?? [];
}

// Expected bytes as shown by llvm-objdump and bpftool: code, registers, offset, immediate.
test('Assembler encodes moves, arithmetic and memory as RFC 9669 does', () => {
  assert.deepEqual(
    encode((code) => code.move(7, 1).set(0, -1).compute(2, 'add', -96).compute(3, 'divide', 1_000_000_000)),
    ['bf17000000000000', 'b7000000ffffffff', '07020000a0ffffff', '3703000000ca9a3b'],
  );
  assert.deepEqual(
    encode((code) => code.load(3, 7, 2480).load(2, 3, 4, 4).store(10, -8, 2).store(10, -16, 2, 4)),
    ['7973b00900000000', '6132040000000000', '7b2af8ff00000000', '632af0ff00000000'],
  );
});

test('Assembler encodes exchanges', () => {
  assert.deepEqual(
    encode((code) => code.exchange(8, 16, 2)),
    ['db281000e1000000'],
  );
});

test('Assembler encodes maps, calls and atomic additions', () => {
  assert.deepEqual(
    encode((code) => code.loadMap(1, 5).loadMapValue(2, 6, 8).call(130).addAtomically(1, 0, 2).return()),
    [
      '1811000005000000',
      '0000000000000000',
      '1822000006000000',
      '0000000008000000',
      '8500000082000000',
      'db21000000000000',
      'b700000000000000',
      '9500000000000000',
    ],
  );
});

test('Assembler resolves backward and forward labels', () => {
  const built = encode((code) =>
    code
      .label('again')
      .jumpIf(7, 'equal', 0, 'end')
      .jumpIf(7, 'notEqual', 3, 'again')
      .jumpIfAtMost(2, 8, 'end')
      .label('end')
      .return(),
  );
  assert.deepEqual(built.slice(0, 3), ['1507020000000000', '5507feff03000000', 'bd82000000000000']);
});

test('Assembler encodes calls of kernel functions, and unconditional jumps', () => {
  const built = encode((code) => code.label('again').callKernel(64_254).jump('again'));
  assert.deepEqual(built, ['85200000fefa0000', '0500feff00000000']);
});

test('Assembler refuses a jump to an undefined label', () => {
  assert.throws(
    () => new Assembler().jumpIf(7, 'equal', 0, 'end').encode(),
    /expected a label "end", found none/,
  );
});
