import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine } from './machine.js';
import { createSpec } from './machine-spec.js';

const second = 1_000_000;

test('processes are all that ever were, when the machine remembers so long', () => {
  const machine = createMachine(createSpec({ arrivalsPerSecond: 100, rememberUs: 61 * second }));
  machine.advance(60 * second);
  assert.equal(new Set(machine.processes).size, machine.births);
  assert.ok(machine.births > 1000, `${machine.births} births`);
});

test('processes that ended before the time that the machine remembers are forgotten', () => {
  const machine = createMachine(createSpec({ arrivalsPerSecond: 100, rememberUs: second }));
  machine.advance(60 * second);
  const ends = machine.processes.map(({ identity }) => identity.diesUs).filter((us) => us <= 60 * second);
  assert.ok(ends.length > 10 && ends.every((us) => us > 59 * second), ends.join(' '));
});
