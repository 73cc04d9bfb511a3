import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessorFactory, ReceiverFactory } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Schema } from '../component/schema.js';
import { createRow, type Table } from '../model/table.js';
import type { Subject } from './component-package.js';
import { listChecks } from './contract.js';

const schema = { limit: { doc: 'A limit.', format: 'int', default: 1 } } as const satisfies Schema;

const factory: ProcessorFactory<typeof schema> = {
  schema,
  check: ({ limit }) => (limit === 13 ? ['limit: 13 brings bad luck'] : []),
  create: (_settings, _context, next) => ({
    start() {},
    shutdown() {},
    consume: (table) => next.consume(table),
  }),
};

/** Runs the checks whose name begins so. */
async function check(name: string, subject: Partial<Subject>): Promise<readonly (string | undefined)[]> {
  const standard = {
    kind: 'processor',
    type: 'cap',
    factory,
    readme: '',
    testFiles: ['cap.test.js'],
  } as const;
  const checks = listChecks({ ...standard, ...subject }).filter((each) => each.name.startsWith(name));
  assert.ok(checks.length > 0, name);
  const reasons: (string | undefined)[] = [];
  for (const { run } of checks) reasons.push(await run());
  return reasons;
}

function checkExample(example: string) {
  const readme = `# cap processor\n\n## Example\n\n\`\`\`yaml\n${example}\n\`\`\`\n`;
  return check('shows examples that are valid', { readme });
}

/** Feeds a processor that does this with each table. */
function checkProcessor(consume: (table: Table, next: Consumer) => unknown) {
  const create: ProcessorFactory['create'] = (_settings, _context, next) => ({
    start() {},
    shutdown() {},
    // A third party's may be written without types.
    consume: (table) => consume(table, next) as boolean,
  });
  return check('takes what a simulated machine publishes', {
    factory: { schema: {}, create },
  });
}

test('the contract accepts a valid example, next to components that it does not know', async () => {
  await checkExample('receivers: {any: {x: 1}}\nprocessors: {cap/a: {limit: 2}, other: {y: 1}}');
});

test('the contract refuses an example with an unknown setting, an invalid one, or none of the type', async () => {
  await assert.rejects(checkExample('processors: {cap: {limt: 2}}'), /limt: unknown setting/);
  await assert.rejects(checkExample('processors: {cap: {limit: 13}}'), /bad luck/);
  await assert.rejects(checkExample('processors: {cpa: }'), /no example in YAML with processors: cap/);
});

test('the contract accepts a processor that forwards what it received', async () => {
  await checkProcessor((table, next) => next.consume(table));
});

test('the contract refuses a processor that loses joules, makes some, changes a table, throws or says nothing', async () => {
  await assert.rejects(
    checkProcessor(() => true),
    /expected [\d.]+ J of hardware, found 0 J/,
  );
  await assert.rejects(
    checkProcessor((table, next) => next.consume({ ...table, values: table.values.map((v) => 2 * v) })),
    /expected [\d.]+ J of hardware, found [\d.]+ J/,
  );
  await assert.rejects(
    checkProcessor((table, next) => next.consume({ ...table, values: table.values.fill(7) })),
    /it changed a table/,
  );
  await assert.rejects(
    checkProcessor(() => assert.fail('broken')),
    /broken/,
  );
  await assert.rejects(
    checkProcessor((table, next) => void next.consume(table)),
    /'boolean'/,
  );
});

test('the contract reports why an example cannot be run, and does not pass it silently', async () => {
  const fences = ['', ' needs="a backend"', ''].map(
    (info, limit) => `\`\`\`yaml${info}\nprocessors: {cap: {limit: ${limit}}}\n\`\`\`\n`,
  );
  const readme = `# cap processor\n\n## Example\n\n${fences.join('\n')}`;
  const reasons = await check('starts and stops twice', { readme });
  assert.deepEqual(reasons, [undefined, undefined, 'not run: needs a backend', undefined]);
});

test('the contract reports a receiver whose source is missing, and refuses one that publishes without counting', async () => {
  const metric = { name: 'a', unit: '1', description: 'A', kind: 'gauge', valueType: 'int' } as const;
  const receiver = (available: boolean): ReceiverFactory => ({
    schema: {},
    metrics: [metric],
    probe: () => ({ available, found: available ? 'all' : 'no device', remedies: [] }),
    create: (_settings, { host, clock }, next) => ({
      start: () =>
        void next.consume(
          createRow(
            [{ metric, resource: host, attributes: {}, start: 0n }],
            clock.wallNs(),
            Float64Array.of(1),
          ),
        ),
      shutdown() {},
    }),
  });
  const name = 'publishes and reports what it declares, with its defaults';
  assert.deepEqual(await check(name, { kind: 'receiver', factory: receiver(false) }), ['no device']);
  await assert.rejects(
    check(name, { kind: 'receiver', factory: receiver(true) }),
    /none of its own metrics counts/,
  );
});

test('the contract refuses a component without a test', async () => {
  await assert.rejects(check('has a test', { testFiles: [] }), /expected a test file, found none/);
});
