import type { Config } from './config.js';

type Weight = Config['weights'][number];

/** What is wrong with the events by which energy is to be shared. */
export function checkWeights({ weights }: Config): readonly string[] {
  return weights.flatMap(({ model, counters }, i) => {
    const where = `weights[${i}].counters`;
    if (model === 'counters')
      return counters.length > 0 ? [] : [`${where}: expected names of events, found none`];
    // They are counted once for all hardware.
    const first = weights.findIndex((one) => one.model === model);
    const wanted = String(weights[first]?.counters);
    if (String(counters) === wanted) return [];
    return [
      `${where}: expected the events of weights[${first}] (${wanted || 'none'}), found ${String(counters) || 'none'}`,
    ];
  });
}

/** What is wrong with what seconds of kinds of cores cost. */
export function checkFactors({ weights }: Config): readonly string[] {
  // What a cycle counts is the same for all hardware that is shared by frequency.
  const first = weights.find(({ model }) => model === 'frequency_cpu_time');
  return weights.flatMap((weight, i) => {
    const problem = findProblem(weight, first);
    return problem === undefined ? [] : [`weights[${i}].factors: expected ${problem}`];
  });
}

function findProblem(
  { model, counters, factors, gamma }: Weight,
  first: Weight | undefined,
): string | undefined {
  const found = factors.length > 0 ? String(factors) : 'none';
  if (model !== 'frequency_cpu_time') {
    return factors.length > 0 ? `none with model ${model}, found ${found}` : undefined;
  }
  const wanted = String(first?.factors);
  if (String(factors) !== wanted) return `${wanted || 'none'}, as the first ones are, found ${found}`;
  if (factors.length === 0) return undefined;
  if (factors.length !== counters.length) {
    return `one for each of counters, ${counters.length}, found ${factors.length}`;
  }
  if (!factors.every((factor) => factor > 0)) return `numbers above 0, found ${found}`;
  const isOne = gamma > 0 && gamma === first?.gamma;
  return isOne ? undefined : `the same gamma above 0 wherever there are factors, found ${gamma}`;
}
