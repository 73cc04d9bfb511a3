import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCryptProblem, isBcryptHash, matchesBcrypt } from './crypt.js';

const skip = findCryptProblem() ?? false;

// Test vectors of crypt_blowfish.
const vectors = [
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
] as const;

test('matchesBcrypt knows the password of a hash, and no other', { skip }, async () => {
  for (const [password, hash] of vectors) {
    assert.equal(await matchesBcrypt(password, hash), true, password);
    assert.equal(await matchesBcrypt(`${password}x`, hash), false, password);
    assert.equal(await matchesBcrypt(`${password}\0x`, hash), false, 'what follows a NUL');
  }
});

test(
  'matchesBcrypt compares one password after another, when many are asked for at a time',
  { skip },
  async () => {
    const asked = vectors.flatMap(([, hash]) =>
      vectors.map(async ([password, own]) => [await matchesBcrypt(password, hash), own === hash]),
    );
    for (const [matches, expected] of await Promise.all(asked)) assert.equal(matches, expected);
  },
);

test('isBcryptHash takes only whole hashes of bcrypt', () => {
  for (const [, hash] of vectors) {
    assert.ok(isBcryptHash(hash));
    assert.ok(isBcryptHash(hash.replace('$2a', '$2y')));
    assert.ok(!isBcryptHash(hash.slice(0, -1)));
  }
  for (const text of [
    '',
    'secret',
    '$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$1$a$b',
  ]) {
    assert.ok(!isBcryptHash(text), text);
  }
});
