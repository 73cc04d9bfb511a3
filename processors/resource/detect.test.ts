import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import { detectAttributes, parseOsRelease } from './detect.js';

test('parseOsRelease reads plain, single and double quoted values', () => {
  const text = `# a comment\nNAME=Fedora\nVERSION_ID='41'\n\nPRETTY_NAME="A \\"quoted\\" name"\nID_LIKE=""\n`;
  const { NAME, VERSION_ID, PRETTY_NAME } = parseOsRelease(text);
  assert.deepEqual([NAME, VERSION_ID, PRETTY_NAME], ['Fedora', '41', 'A "quoted" name']);
});

test('detect warns and continues, when the environment is wrong', () => {
  const log = createLogCollector();
  const environment = { OTEL_RESOURCE_ATTRIBUTES: 'wrong' };
  const found = detectAttributes(['env', 'os'], { root: '/nonexistent', environment, log });
  assert.deepEqual(found, { 'service.name': 'joulemetry', 'os.type': 'linux' });
  assert.equal(log.lines.length, 1);
});

test('detect finds no host.id, when the machine has none', () => {
  const found = detectAttributes(['host'], {
    root: '/nonexistent',
    environment: {},
    log: createLogCollector(),
  });
  assert.deepEqual(Object.keys(found), ['host.name', 'host.arch']);
});

test('detect prefers the first detector, when two find the same attribute', () => {
  const environment = { OTEL_RESOURCE_ATTRIBUTES: 'os.type=mine' };
  const options = { root: '/nonexistent', environment, log: createLogCollector() };
  assert.equal(detectAttributes(['env', 'os'], options)['os.type'], 'mine');
  assert.equal(detectAttributes(['os', 'env'], options)['os.type'], 'linux');
});
