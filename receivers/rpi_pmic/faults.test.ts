import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHang, Gate, type StartReceiver } from '../../src/scraping/hanging-thread.fixture.js';
import { ReadingThread } from '../../src/scraping/reading-thread.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createReceiver, factory } from './factory.js';
import { openPmic } from './pmic.js';

const answer = `VDD_CORE_A current(7)=2.00000000A
DDR_A current(8)=1.00000000A
VDD_CORE_V volt(15)=0.75000000V
DDR_V volt(16)=1.10000000V
`;

async function ask(answers: readonly (string | Error)[]) {
  const left = [...answers];
  const meter = openPmic(() =>
    Promise.resolve({
      async read() {
        const next = left.shift();
        if (typeof next === 'string') return Promise.resolve(next);
        throw next ?? new Error('no answer is left');
      },
      close: () => Promise.resolve(),
    }),
  );
  const { signal } = new AbortController();
  const results: (readonly (number | undefined)[])[] = [];
  const problems: string[] = [];
  for (const _ of answers) {
    try {
      const found = await meter.ask(signal);
      const watts = new Map(found.readings.map((one) => [one.id, one.watts]));
      results.push(['pmic', 'pmic/VDD_CORE', 'pmic/DDR'].map((id) => watts.get(id)));
      problems.push(...(found.problems ?? []));
    } catch (error) {
      problems.push(String(error));
    }
  }
  return { results, problems };
}

test('rpi_pmic has a gap and a problem for a rail that a truncated answer lacks, and no smaller sum', async () => {
  const torn = answer.slice(0, answer.indexOf('DDR_V'));
  const { results, problems } = await ask([answer, torn, answer]);
  assert.deepEqual(results, [
    [2.6, 1.5, 1.1],
    [NaN, 1.5, NaN],
    [2.6, 1.5, 1.1],
  ]);
  assert.deepEqual(problems, ['expected voltage and current of pmic/DDR, found none']);
});

test('rpi_pmic fails with an answer that is empty or garbage, or with an error, and reads again', async () => {
  const { results, problems } = await ask(['', 'error=1', new Error('EIO'), answer]);
  assert.deepEqual(results, [[2.6, 1.5, 1.1]]);
  assert.deepEqual(problems, [
    'Error: expected channels of the PMIC, found ""',
    'Error: expected channels of the PMIC, found "error=1"',
    'Error: EIO',
  ]);
});

/** A PMIC with other rails, and with answers that wait at a gate. */
function openGated(gate: Gate, suffix: string) {
  const module = new URL('../../src/scraping/gated-source.fixture.js', import.meta.url);
  const options = { gate: gate.number, refusal: '', answer: answer.replaceAll('DDR', `DDR${suffix}`) };
  return openPmic(async () => {
    const { thread } = await ReadingThread.open<string>({ name: 'PMIC', module, options });
    return thread;
  });
}

test('rpi_pmic withstands firmware that does not answer', async (t) => {
  const [gate, openGate] = [new Gate(), new Gate()];
  t.after(() => gate.open());
  const start =
    (one: Gate, suffix: string): StartReceiver =>
    (overrides) =>
      startReceiver(
        t,
        {
          ...factory,
          create: (config, context, next) =>
            createReceiver(context, next, { ...config, open: () => openGated(one, suffix) }),
        },
        { collection_interval: '100ms' },
        overrides,
      );
  const beganMs = performance.now();
  await checkHang([start(gate, '0'), start(openGate, '1')], {
    begin: () => gate.close(),
    end: () => gate.open(),
    isSubject: (name) => name.includes('DDR0'),
    maxTotal: () => (2.6 * (performance.now() - beganMs)) / 1000,
  });
});
