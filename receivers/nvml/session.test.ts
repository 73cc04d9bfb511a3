import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { buildNvml, repeatGpu, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { Session } from './session.js';

/** Two GPUs, read on a clock of the test. */
function open(t: TestContext) {
  const nvml = buildNvml(repeatGpu(2));
  const options = {
    library: nvml.path,
    procfs: '/proc',
    hasProcesses: true,
    hasProfiling: false,
    hasPcieSampling: false,
  };
  let nowMs = 0;
  const session = new Session(options, () => nowMs);
  t.after(() => session.close());
  session.open();
  const logged: string[] = [];
  /** Seconds at which the library was opened. */
  const openings: number[] = [];
  const readAt = (second: number) => {
    nowMs = second * 1000;
    const reading = session.read();
    const { notes } = reading;
    // One of its notes is what the healthy GPU lacks.
    if (notes.some(({ text }) => text.includes('(GPU-1) lacks'))) openings.push(second);
    logged.push(...notes.flatMap(({ level, text }) => (level === 'warn' ? [text] : [])));
    const lost = reading.rows.filter(({ values }) => values === undefined).map(({ id }) => id);
    return { ...reading, lost };
  };
  return { nvml, readAt, logged, openings };
}

const product = 'NVIDIA H100 80GB HBM3';

for (const [what, answers, reason] of [
  ['answers no call', { '0.lost': '0 16' }, /^Cannot identify GPU 0: GPU needs a reset \(NVML 16\)$/u],
  [
    'has a name',
    { '0.TotalEnergyConsumption': '16' },
    /^Cannot read "NVIDIA H100 80GB HBM3" \(GPU-0\): GPU needs a reset \(NVML 16\)$/u,
  ],
] as const) {
  test(`Session opens the library ever less often while a GPU stays lost that ${what}`, { skip }, (t) => {
    const { nvml, readAt, logged, openings } = open(t);
    nvml.set(answers);
    for (let second = 0; second < 60; second++) {
      const { lost, rows, problems } = readAt(second);
      assert.deepEqual(lost, ['GPU-0'], `after ${second} s`);
      assert.deepEqual(rows.map(({ id }) => id).toSorted(), ['GPU-0', 'GPU-1']);
      assert.deepEqual(problems, [`"${product}" (GPU-0) is lost`]);
    }
    assert.deepEqual(openings, [1, 3, 7, 15, 31]);
    assert.deepEqual(logged.length, 2, logged.join('\n'));
    assert.equal(logged[0], `Lost "${product}" (GPU-0): GPU needs a reset (NVML 16)`);
    assert.match(logged[1] ?? '', reason);
    nvml.remove(...Object.keys(answers));
    assert.deepEqual(readAt(63).lost, []);
  });
}

test('Session waits longer before each opening, while a GPU is lost soon after each', { skip }, (t) => {
  const { nvml, readAt, openings } = open(t);
  for (let second = 0; second < 20; second++) {
    // It answers at the opening, and no longer a second after.
    const isOpening = [1, 4, 9, 18].includes(second);
    if (isOpening) nvml.remove('0.lost');
    else nvml.set({ '0.lost': '0 15' });
    readAt(second);
  }
  assert.deepEqual(openings, [1, 4, 9, 18]);
});

test('Session opens the library again after a second, however many GPUs were lost at once', { skip }, (t) => {
  const { nvml, readAt, openings } = open(t);
  nvml.set({ '0.lost': '0 15', '1.lost': '0 15' });
  assert.deepEqual(readAt(0).lost, ['GPU-0', 'GPU-1']);
  nvml.remove('0.lost', '1.lost');
  assert.deepEqual(readAt(1).lost, []);
  assert.deepEqual(openings, [1]);
});

test(
  'Session counts the use of a GPU by processes across an opening because of another one',
  { skip },
  (t) => {
    const { nvml, readAt, openings } = open(t);
    const startMs = Date.now();
    const readWith = (second: number, ms: number) => {
      nvml.set({ '1.ProcessUtilization': `0 11 ${(startMs + ms) * 1000} 50 0 0 0` });
      const { usage } = readAt(second).rows.find(({ id }) => id === 'GPU-1') ?? {};
      return (
        usage && { ms: Math.round(Number(usage.toNs - usage.fromNs) / 1e6), samples: usage.samples.length }
      );
    };
    readAt(0);
    readWith(0, 200);
    nvml.set({ '0.lost': '0 15' });
    assert.deepEqual(readWith(0, 300), { ms: 100, samples: 1 });
    assert.deepEqual(readWith(1, 700), { ms: 400, samples: 1 });
    assert.deepEqual(openings, [1]);
  },
);

test('Session opens the library again when the driver no longer lists its GPUs', { skip }, (t) => {
  const { nvml, readAt, logged } = open(t);
  nvml.set({ Count: '999' });
  const { rows, failure } = readAt(10);
  assert.equal(failure, 'Cannot count the GPUs: unknown error (NVML 999)');
  assert.deepEqual(
    rows.map(({ id, values }) => [id, values]),
    [
      ['GPU-0', undefined],
      ['GPU-1', undefined],
    ],
  );
  assert.deepEqual(logged, ['Continuing without GPUs: Cannot count the GPUs: unknown error (NVML 999)']);
  nvml.set({ Count: '0 2' });
  assert.deepEqual(readAt(11).lost, []);
});
