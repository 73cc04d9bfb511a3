import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../testing/fixed-seed.fixture.js';
import { EventSyntaxError, parseEvents, type ParsedEvent } from './grammar.js';

const one = (text: string): ParsedEvent => {
  const [{ events }, ...others] = parseEvents(text);
  assert.equal(others.length, 0);
  assert.equal(events.length, 1);
  return events[0];
};

test('parseEvents understands names and modifiers of perf', () => {
  assert.deepEqual(one('cycles:u'), {
    text: 'cycles:u',
    source: { kind: 'code', type: 0, config: 0n },
    modifiers: { excludeKernel: true, excludeHypervisor: true },
  });
  assert.deepEqual(one('L1-dcache-load-misses').source, { kind: 'code', type: 3, config: 0x10000n });
  assert.deepEqual(one('rC0').source, { kind: 'code', type: 4, config: 0xc0n });
});

test('parseEvents understands names, raw codes and modifiers of ALUMET', () => {
  assert.deepEqual(one('LL_READ_MISS#u:k'), {
    text: 'LL_READ_MISS#u:k',
    source: { kind: 'code', type: 3, config: 0x10002n },
    modifiers: { excludeHypervisor: true },
  });
  assert.deepEqual(one('REF_CPU_CYCLES').source, { kind: 'code', type: 0, config: 9n });
  assert.deepEqual(one('r0x1a8#k').source, { kind: 'code', type: 4, config: 0x1a8n });
});

test('parseEvents understands terms of a PMU, and modifiers behind them with or without a colon', () => {
  const source = {
    kind: 'pmu',
    pmu: 'cpu',
    terms: [
      { name: 'event', value: '0x3c' },
      { name: 'inv', value: undefined },
      { name: 'name', value: 'mine' },
    ],
  };
  const modifiers = { excludeUser: true, excludeHypervisor: true, preciseIp: 2 };
  assert.deepEqual(one('cpu/event=0x3c,inv,name=mine/kpp'), {
    text: 'cpu/event=0x3c,inv,name=mine/kpp',
    source,
    modifiers,
  });
  assert.deepEqual(one(' cpu/event=0x3c, inv, name = mine/:kpp ').source, source);
});

test('parseEvents leaves to the machine what only it knows', () => {
  assert.deepEqual(one('sched:sched_switch').source, { kind: 'name', name: 'sched:sched_switch' });
  assert.deepEqual(one('skl::INST_RETIRED:ANY_P:u=1').source, {
    kind: 'name',
    name: 'skl::INST_RETIRED:ANY_P:u=1',
  });
});

test('parseEvents adds the modifiers of a group to those of its events', () => {
  const groups = parseEvents('task-clock,{cycles:u,instructions}:k,faults');
  assert.deepEqual(
    groups.map(({ events, isExplicit }) => [isExplicit, ...events.map(({ text }) => text)]),
    [
      [false, 'task-clock'],
      [true, 'cycles:u', 'instructions'],
      [false, 'faults'],
    ],
  );
  assert.deepEqual(
    groups[1].events.map(({ modifiers }) => modifiers),
    [{ excludeHypervisor: true }, { excludeUser: true, excludeHypervisor: true }],
  );
});

const wrong: Readonly<Record<string, string>> = {
  '': 'at character 1: expected an event, found the end',
  'cycles,': 'at character 8: expected an event, found the end',
  'cycles,,faults': 'at character 8: expected an event, found ","',
  'cycles instructions': 'at character 8: expected "," or the end, found "i"',
  '{cycles': 'at character 8: expected "," or "}", found the end',
  'cycles}': 'at character 7: expected "," or the end, found "}"',
  'cycles:x': 'at character 8: expected modifiers out of u, k, h, I, G, H, p, D, e, found "x"',
  'cycles:pppp': 'at character 8: expected modifiers out of u, k, h, I, G, H, p, D, e, found "pppp"',
  'cpu/event': 'at character 10: expected "," or "/", found the end',
  'cpu//': 'at character 6: expected a term between the slashes, such as event=0x3c, found none',
  'cpu/event=,inv/': 'at character 11: expected a value, found ","',
  'cpu/inv/z': 'at character 9: expected modifiers out of u, k, h, I, G, H, p, D, e, found "z"',
};

for (const [text, problem] of Object.entries(wrong)) {
  test(`parseEvents reports what is wrong with ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseEvents(text), {
      name: 'EventSyntaxError',
      message: `Cannot parse events ${JSON.stringify(text)} ${problem}`,
    });
  });
}

test('parseEvents quotes the context of what is wrong, when a list is long', () => {
  const list = 'cycles,'.repeat(10_000);
  const text = `${list}cycles:z,${list}cycles`;
  assert.throws(
    () => parseEvents(text),
    ({ message }: Error) => {
      assert.match(
        message,
        /^Cannot parse events "\.\.\.[a-z,]+cycles:z,[a-z,]+\.\.\." at character 70008: /,
      );
      assert.ok(message.length < 400, `${message.length} characters`);
      return true;
    },
  );
  const word = `cycles:${'z'.repeat(50_000)}`;
  assert.throws(
    () => parseEvents(word),
    ({ message }: Error) => message.length < 500,
  );
});

test('parseEvents gives events or names a position within the text, whatever the text', () => {
  const piece = fc.constantFrom('cycles', '{', '}', ',', '/', ':', '#', '=', 'u', 'r1', ' ', 'x');
  const text = fc.oneof(
    fc.string(),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (list) => {
      try {
        assert.ok(parseEvents(list).every(({ events }) => events.length > 0));
      } catch (error) {
        assert.ok(error instanceof EventSyntaxError, String(error));
        assert.ok(error.position >= 1 && error.position <= list.length + 1, error.message);
      }
    }),
  );
});

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const letters = fc.constantFrom('', 'u', 'k', 'uk', 'p', 'upp');
const term = fc.oneof(
  word,
  fc.tuple(word, fc.nat()).map(([name, value]) => `${name}=0x${value.toString(16)}`),
);
const event = fc.oneof(
  fc.tuple(fc.constantFrom('cycles', 'LLC-loads', 'r1f', 'task-clock'), letters).map(join),
  fc
    .tuple(word, fc.array(term, { minLength: 1, maxLength: 4 }), letters)
    .map(([pmu, terms, end]) => `${pmu}/${terms.join(',')}/${end}`),
);

function join([name, end]: readonly [string, string]): string {
  return end === '' ? name : `${name}:${end}`;
}

test('parseEvents keeps every event, its text and its group, whatever the list', () => {
  const group = fc.array(event, { minLength: 1, maxLength: 4 });
  const list = fc.array(fc.tuple(fc.boolean(), group), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(list, (written) => {
      const text = written.map(([isGroup, events]) => (isGroup ? `{${events.join(',')}}` : events.join(',')));
      const expected = written.flatMap(([isGroup, events]) =>
        isGroup ? [events] : events.map((each) => [each]),
      );
      const parsed = parseEvents(text.join(', '));
      assert.deepEqual(
        parsed.map(({ events }) => events.map((each) => each.text)),
        expected,
      );
      for (const each of parsed.flatMap(({ events }) => events)) {
        assert.deepEqual(one(each.text), each);
      }
    }),
  );
});
