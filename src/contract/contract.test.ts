import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessorFactory } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Schema } from '../config/schema.js';
import type { Table } from '../model/table.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { contract, type Subject } from './contract.js';
import { createFakeContext } from './fakes.js';

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

async function check(name: string, subject: Partial<Subject>): Promise<void> {
  const fake = createFakeContext();
  const context = { ...fake, sampling: createSampling(fake) };
  const promised = contract.find((each) => each.name === name) ?? assert.fail(name);
  await promised.check({ kind: 'processor', type: 'cap', factory, readme: '', context, ...subject });
}

function checkExample(example: string): Promise<void> {
  const readme = `# cap processor\n\n## Example\n\n\`\`\`yaml\n${example}\n\`\`\`\n`;
  return check('shows an example that is right', { readme });
}

/** Feeds a processor that does this with each table. */
function checkProcessor(consume: (table: Table, next: Consumer) => unknown): Promise<void> {
  const create: ProcessorFactory['create'] = (_settings, _context, next) => ({
    start() {},
    shutdown() {},
    // A third party's may be written without types.
    consume: (table) => consume(table, next) as boolean,
  });
  return check('takes what a simulated machine gives, and keeps every joule', {
    factory: { schema: {}, create },
  });
}

test('the contract takes an example that is right, beside components that it does not know', async () => {
  await checkExample('receivers: {any: {x: 1}}\nprocessors: {cap/a: {limit: 2}, other: {y: 1}}');
});

test('the contract refuses an example with an unknown setting, a wrong one, or none of the type', async () => {
  await assert.rejects(checkExample('processors: {cap: {limt: 2}}'), /limt: unknown setting/);
  await assert.rejects(checkExample('processors: {cap: {limit: 13}}'), /bad luck/);
  await assert.rejects(checkExample('processors: {cpa: }'), /shows no processor "cap"/);
});

test('the contract takes a processor that hands on what it got', async () => {
  await checkProcessor((table, next) => next.consume(table));
});

test('the contract refuses a processor that loses joules, makes some, changes a table, throws or says nothing', async () => {
  await assert.rejects(
    checkProcessor(() => true),
    /it made 0 J of \d/,
  );
  await assert.rejects(
    checkProcessor((table, next) => next.consume({ ...table, values: table.values.map((v) => 2 * v) })),
    /it made [\d.]+ J of [\d.]+ J/,
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
