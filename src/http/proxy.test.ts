import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProxy, parseProxy } from './proxy.js';

const proxy = 'http://proxy.example:3128';

function isProxied(address: string, exceptions: string): boolean {
  return (
    findProxy(new URL(address), { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: exceptions }) !== undefined
  );
}

test('findProxy uses the variable of the scheme, upper case first', () => {
  const env = { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2', http_proxy: 'c:3' };
  assert.equal(findProxy(new URL('https://backend.example'), env)?.address, 'http://a:1');
  assert.equal(findProxy(new URL('http://backend.example'), env)?.address, 'http://c:3');
  assert.equal(findProxy(new URL('http://backend.example'), {}), undefined);
});

test('findProxy never uses a proxy for localhost and loopback addresses', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]', '[::ffff:127.0.0.1]']) {
    assert.equal(isProxied(`http://${host}:4318`, ''), false, host);
  }
});

test('findProxy excludes the hosts in NO_PROXY', () => {
  const cases: readonly (readonly [exceptions: string, address: string, isProxied: boolean])[] = [
    ['*', 'https://backend.example', false],
    ['backend.example', 'https://backend.example', false],
    ['backend.example', 'https://a.backend.example', false],
    ['backend.example', 'https://notbackend.example', true],
    ['.backend.example', 'https://a.backend.example', false],
    ['.backend.example', 'https://backend.example', true],
    ['*.backend.example', 'https://a.backend.example', false],
    ['BACKEND.example', 'https://Backend.Example', false],
    ['other, backend.example ,x', 'https://backend.example', false],
    ['backend.example:4318', 'https://backend.example:4318', false],
    ['backend.example:4318', 'https://backend.example', true],
    ['backend.example:443', 'https://backend.example', false],
    ['10.0.0.0/8', 'http://10.1.2.3', false],
    ['10.0.0.0/8', 'http://11.1.2.3', true],
    ['10.0.0.0/99', 'http://10.1.2.3', true],
    ['10.1.2.3', 'http://10.1.2.3:4318', false],
    ['10.1.2.3:80', 'http://10.1.2.3:4318', true],
    ['fd00::/8', 'http://[fd00::1]', false],
    ['fd00::1', 'http://[fd00::1]', false],
    ['', 'http://backend.example', true],
    [',', 'http://backend.example', true],
  ];
  for (const [exceptions, address, expected] of cases) {
    assert.equal(isProxied(address, exceptions), expected, `${exceptions} for ${address}`);
  }
});

test('parseProxy reads credentials, and does not show them when the address is wrong', () => {
  const { host, port, isTls, credentials, address } = parseProxy('https://me:a%40b@[fd00::1]', 'proxy_url');
  assert.deepEqual(
    { host, port, isTls, credentials },
    { host: 'fd00::1', port: 443, isTls: true, credentials: 'me:a@b' },
  );
  assert.equal(address, 'https://[fd00::1]');
  assert.throws(
    () => parseProxy('ftp://me:secret@x', 'proxy_url'),
    (error: Error) => {
      assert.match(
        error.message,
        /^Cannot use proxy_url: expected http:\/\/host:port or https:\/\/host:port, found /,
      );
      return !error.message.includes('secret');
    },
  );
});
