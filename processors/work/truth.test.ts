import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { create, createSeries, energy, last } from './work.fixture.js';

/** An LLM server: the energy of its work, in J, and the two tenants that share it. */
const truth = { prompt: 0.05, generated: 0.25, step: 1.2 };
const noiseJ = 5;

interface Second {
  readonly prompt: number;
  readonly generated: number;
  readonly steps: number;
}

/** The work of 30 minutes, with a varying mix. */
function createSeconds(random: Random): readonly Second[] {
  return Array.from({ length: 1800 }, (_, second) => {
    const load = Math.min(1, Math.max(0, 0.5 + 0.45 * Math.sin(second / 200) + 0.1 * gauss(random)));
    const countOf = (mean: number) => Math.max(0, Math.round(mean + Math.sqrt(mean) * gauss(random)));
    const prompt = countOf(4000 * load * (0.3 + 0.7 * random.fraction()));
    const generated = countOf(900 * load * (0.3 + 0.7 * random.fraction()));
    return { prompt, generated, steps: generated > 0 ? Math.round((30 + 20 * random.fraction()) * load) : 0 };
  });
}

function gauss(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.fraction()));
  return radius * Math.cos(2 * Math.PI * random.fraction());
}

/** The first tenant has long prompts and short answers. */
const partOfFirst = { prompt: 0.8, generated: 0.2, steps: 0.2 };

/** Feeds 30 minutes, and returns the true energy of the first tenant and of the machine. */
function feedSeconds(random: Random, feed: ReturnType<typeof create>['feed'], counters: readonly Series[]) {
  const sums = counters.map(() => 0);
  let [ofFirst, ofAll] = [0, 0];
  feed(0, [energy, ...counters], [0, ...sums]);
  for (const [i, { prompt, generated, steps }] of createSeconds(random).entries()) {
    const [cached, firstPrompt, firstGenerated] = [
      Math.round(prompt / 3),
      Math.round(prompt * partOfFirst.prompt),
      Math.round(generated * partOfFirst.generated),
    ];
    const firstSteps = Math.round(steps * partOfFirst.steps);
    const add = [
      firstPrompt,
      prompt - firstPrompt,
      cached,
      firstGenerated,
      generated - firstGenerated,
      firstSteps,
      steps - firstSteps,
    ];
    // Cached tokens are part of the prompt, and need no energy.
    add[0] = firstPrompt + cached;
    for (const [column, grown] of add.entries()) sums[column] = (sums[column] ?? NaN) + grown;
    ofFirst += truth.prompt * firstPrompt + truth.generated * firstGenerated + truth.step * firstSteps;
    ofAll += Math.max(
      0,
      truth.prompt * prompt + truth.generated * generated + truth.step * steps + noiseJ * gauss(random),
    );
    feed(i + 1, [energy, ...counters], [ofAll, ...sums]);
  }
  return { ofFirst, ofAll };
}

const tenant = (name: string, id: string) => createSeries(name, { attributes: { tenant: id } });
const vllmCounters = [
  tenant('vllm:prompt_tokens_total', 'first'),
  tenant('vllm:prompt_tokens_total', 'second'),
  tenant('vllm:prompt_tokens_cached_total', 'first'),
  tenant('vllm:generation_tokens_total', 'first'),
  tenant('vllm:generation_tokens_total', 'second'),
  tenant('vllm:iteration_tokens_total_count', 'first'),
  tenant('vllm:iteration_tokens_total_count', 'second'),
];

test('work finds the energy of tokens and steps, and charges a tenant with long prompts within 0.4 %', () => {
  for (const seed of [1, 2, 3]) {
    const byUnits = create([{ preset: 'vllm', split_by: ['tenant'] }]);
    const { ofFirst, ofAll } = feedSeconds(createRandom(seed), byUnits.feed, vllmCounters);
    const energies = byUnits.energies();
    const charged = Object.entries(energies).filter(([name]) => name.endsWith(' first'));
    // The coefficients are learned in the first 30 windows, whose energy is undivided.
    const undivided = energies['undivided'] ?? NaN;
    const ofFirstFound = charged.reduce((sum, [, joules]) => sum + joules, 0) / (1 - undivided / ofAll);
    const error = ofFirstFound / ofFirst - 1;
    assert.ok(undivided / ofAll < 0.03, `${undivided} of ${ofAll} J`);
    assert.ok(Math.abs(error) < 0.004, `charged ${(100 * error).toFixed(2)} % too much`);
    const found = ['prompt_token', 'generated_token', 'step'].map((unit) =>
      last(
        byUnits
          .points('work.energy.per_unit', unit)
          .filter(({ series }) => series.attributes['work.method'] === 'regression'),
      ),
    );
    for (const [i, expected] of Object.values(truth).entries()) {
      const value = found[i] ?? NaN;
      assert.ok(Math.abs(value / expected - 1) < 0.03, `${value} for ${expected}`);
    }
    assert.ok(last(byUnits.points('work.residual')) < 0.04);
  }
});

test('work by generated tokens alone charges a tenant with long prompts 54 % too little', () => {
  const byTokens = create([
    { split_by: ['tenant'], units: [{ name: 'token', metric: 'vllm:generation_tokens_total' }] },
  ]);
  const { ofFirst } = feedSeconds(createRandom(1), byTokens.feed, vllmCounters);
  const error = (byTokens.energies()['token first'] ?? NaN) / ofFirst - 1;
  assert.ok(error > -0.57 && error < -0.51, `${error}`);
});
