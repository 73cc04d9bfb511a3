import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { isExpectedHost } from './headers.js';

const local = { endpoint: 'localhost:9464', isLocal: true };

test('isExpectedHost accepts names that no web page can have when the connection is local', () => {
  const headers = [
    'localhost',
    'LOCALHOST:9464',
    'localhost.',
    '127.0.0.1:9464',
    '[::1]:9464',
    '10.0.0.7',
    'a.localhost',
  ];
  for (const header of [...headers, `${hostname()}:9464`]) assert.ok(isExpectedHost(header, local), header);
});

test('isExpectedHost refuses every other name when the connection is local', () => {
  const headers = [
    'evil.example',
    'evil.example:9464',
    'localhost.evil.example',
    'notlocalhost',
    'xlocalhost:1',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'localhost:9464:evil',
    '[::1].evil.example',
    '2130706433',
    ':9464',
    '',
    '[]',
  ];
  for (const header of headers) assert.ok(!isExpectedHost(header, local), header);
});

test('isExpectedHost accepts the name of the endpoint if it is one', () => {
  assert.ok(isExpectedHost('meter.example:80', { endpoint: 'meter.example:80', isLocal: true }));
});

test('isExpectedHost accepts every name when the operator serves the network, and a request without one', () => {
  assert.ok(isExpectedHost('node7.example:9464', { endpoint: ':9464', isLocal: false }));
  assert.ok(!isExpectedHost('node7.example:9464', { endpoint: ':9464', isLocal: true }));
  assert.ok(isExpectedHost(undefined, local));
});
