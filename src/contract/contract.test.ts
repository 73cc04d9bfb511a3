import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessorFactory } from '../component/component.js';
import type { Schema } from '../config/schema.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { contract } from './contract.js';
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

async function checkExample(example: string): Promise<void> {
  const fake = createFakeContext();
  const context = { ...fake, sampling: createSampling(fake) };
  const readme = `# cap processor\n\n## Example\n\n\`\`\`yaml\n${example}\n\`\`\`\n`;
  const promised = contract.find(({ name }) => name === 'shows an example that is right');
  await promised?.check({ kind: 'processor', type: 'cap', factory, readme, context });
}

test('the contract takes an example that is right, beside components that it does not know', async () => {
  await checkExample('receivers: {any: {x: 1}}\nprocessors: {cap/a: {limit: 2}, other: {y: 1}}');
});

test('the contract refuses an example with an unknown setting, a wrong one, or none of the type', async () => {
  await assert.rejects(checkExample('processors: {cap: {limt: 2}}'), /limt: unknown setting/);
  await assert.rejects(checkExample('processors: {cap: {limit: 13}}'), /bad luck/);
  await assert.rejects(checkExample('processors: {cpa: }'), /shows no processor "cap"/);
});
