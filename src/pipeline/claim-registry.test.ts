import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClaimRegistry } from './claim-registry.js';

function createPair() {
  const registry = new ClaimRegistry();
  return { registry, first: registry.claimsFor('rapl'), second: registry.claimsFor('rapl/second') };
}

test('ClaimRegistry gives a domain to whoever asks first, and names the owner to others', () => {
  const { first, second } = createPair();
  assert.equal(first.claim('energy/cpu/0'), undefined);
  assert.equal(second.claim('energy/cpu/0'), 'rapl');
  assert.equal(second.claim('energy/cpu/1'), undefined);
  assert.equal(first.claim('energy/cpu/1'), 'rapl/second');
});

test('ClaimRegistry gives an owner what it has as often as it asks', () => {
  const { first } = createPair();
  assert.equal(first.claim('energy/cpu/0'), undefined);
  assert.equal(first.claim('energy/cpu/0'), undefined);
  assert.equal(first.claim('energy/cpu'), undefined);
});

test('ClaimRegistry refuses a whole of which another has a part, and a part of what another has', () => {
  const { first, second } = createPair();
  first.claim('energy/cpu/0/1');
  assert.equal(second.claim('energy/cpu/0'), 'rapl');
  assert.equal(second.claim('energy/cpu'), 'rapl');
  second.claim('energy/gpu');
  assert.equal(first.claim('energy/gpu/0'), 'rapl/second');
});

test('ClaimRegistry takes names that begin alike for different domains', () => {
  const { first, second } = createPair();
  first.claim('energy/cpu/1');
  assert.equal(second.claim('energy/cpu/10'), undefined);
});

test('ClaimRegistry gives what a receiver had to the next one, when it has stopped', () => {
  const { registry, first, second } = createPair();
  first.claim('energy/cpu/0');
  registry.release('rapl');
  assert.equal(second.claim('energy/cpu/0'), undefined);
});
