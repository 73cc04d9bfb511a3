import type { ProcessorFactory } from '../../src/component/component.js';
import { isEnergyName } from '../../src/model/energy-names.js';
import { attributesKey } from '../../src/model/series.js';
import { schema, type WorkloadConfig } from './config.js';
import { carbonPerUnit, energyPerUnit, workEnergy, workResidual } from './metrics.js';
import { listUnits } from './units.js';
import { Work } from './work.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [workEnergy, energyPerUnit, workResidual, carbonPerUnit],
  check: ({ workloads }) => [...workloads.flatMap(checkWorkload), ...workloads.flatMap(checkOverlap)],
  create: (config, context, next) => new Work(config, context, next),
};

/** Reserved names of parts of the energy, which no unit may have. */
const reserved = ['background', 'undivided'];

function checkWorkload(config: WorkloadConfig, index: number): readonly string[] {
  const path = `workloads[${index}]`;
  const units = listUnits(config);
  const names = units.map(({ name }) => name);
  const problems: string[] = [];
  if (units.length === 0) problems.push(`${path}: expected a preset or units, found neither`);
  const { carbon, energy } = config;
  if (carbon !== null && carbon.metric === null && !isEnergyName(energy)) {
    problems.push(
      `${path}.carbon.metric: expected the counter of the emissions, as the name of the energy counter does not end in ".energy", found none`,
    );
  }
  for (const [i, { name, metric }] of config.units.entries()) {
    const at = `${path}.units[${i}]`;
    if (name === null || name === '') problems.push(`${at}.name: expected a name, found none`);
    if (metric === null) problems.push(`${at}.metric: expected the name of a metric, found none`);
    if (name !== null && reserved.includes(name)) {
      problems.push(`${at}.name: expected none of ${reserved.join(', ')}, found "${name}"`);
    }
    if (name !== null && names.indexOf(name) !== names.lastIndexOf(name)) {
      problems.push(`${at}.name: expected each name once, found "${name}" twice`);
    }
  }
  return problems;
}

/** One of the entries would never get any energy. */
function checkOverlap(
  { energy, attributes }: WorkloadConfig,
  index: number,
  all: readonly WorkloadConfig[],
): readonly string[] {
  const key = attributesKey(attributes);
  const first = all.findIndex((one) => one.energy === energy && attributesKey(one.attributes) === key);
  return first === index
    ? []
    : [
        `workloads[${index}]: expected other energy than that of workloads[${first}], found ${energy} with the same attributes`,
      ];
}
