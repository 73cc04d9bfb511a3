import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DigestAuth } from './digest-auth.js';

// The example of RFC 7616, section 3.9.1.
const user = { name: 'Mufasa', password: 'Circle of Life' };
const request = { method: 'GET', path: '/dir/index.html' };
const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const parameters = `realm="http-auth@example.org", qop="auth, auth-int", nonce="${nonce}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
const md5 = `Digest ${parameters.replace('nonce', 'algorithm=MD5, nonce')}`;
const sha256 = `Digest ${parameters.replace('nonce', 'algorithm=SHA-256, nonce')}`;

const md5Of = (text: string) => createHash('md5').update(text).digest('hex');
const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

function answer(header: string): string | undefined {
  return DigestAuth.parse(header, () => cnonce)?.authorize(user, request);
}

function endOf(algorithm: string): string {
  return `opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="${cnonce}"`;
}

test('DigestAuth produces the answers of RFC 7616 for MD5 and SHA-256', () => {
  const common = `username="Mufasa", realm="http-auth@example.org", nonce="${nonce}", uri="/dir/index.html"`;
  assert.equal(answer(md5), `Digest ${common}, response="8ca523f5e9506fed4657c9700eebdbec", ${endOf('MD5')}`);
  assert.equal(
    answer(sha256),
    `Digest ${common}, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ${endOf('SHA-256')}`,
  );
});

test('DigestAuth chooses the strongest of several challenges, in any order', () => {
  for (const header of [`${md5}, ${sha256}`, `${sha256}, ${md5}`, `Basic realm="a", ${sha256}`]) {
    assert.match(answer(header) ?? '', /response="753927fa/u);
  }
});

test('DigestAuth counts the requests of a nonce', () => {
  const digest = DigestAuth.parse(sha256);
  const [first, second] = [0, 0].map(() => digest?.authorize(user, request));
  assert.match(first ?? '', /nc=00000001/u);
  assert.match(second ?? '', /nc=00000002/u);
});

test('DigestAuth answers a server of RFC 2069, which knows no qop and no algorithm', () => {
  const response = md5Of(`${md5Of('Mufasa:a:Circle of Life')}:1:${md5Of('GET:/dir/index.html')}`);
  const expected = `Digest username="Mufasa", realm="a", nonce="1", uri="/dir/index.html", response="${response}"`;
  assert.equal(answer('Digest realm="a", nonce="1"'), expected);
});

test('DigestAuth includes the nonces in the key of a session', () => {
  const key = sha256Of(`${sha256Of('Mufasa:a:Circle of Life')}:1:${cnonce}`);
  const response = sha256Of(`${key}:1:00000001:${cnonce}:auth:${sha256Of('GET:/dir/index.html')}`);
  const header = answer('Digest realm=a, nonce=1, qop=auth, algorithm=SHA-256-sess') ?? '';
  assert.ok(header.includes(`response="${response}"`), header);
});

test('DigestAuth does not answer unsupported challenges: another scheme, an unknown hash, no nonce, auth-int alone', () => {
  const headers = [
    'Basic realm="a"',
    '',
    'Digest realm="a"',
    'Digest realm="a", nonce="1", algorithm=SHA3',
    'Digest realm="a", nonce="1", qop="auth-int"',
  ];
  assert.deepEqual(headers.map(answer), [undefined, undefined, undefined, undefined, undefined]);
});
