import { chooseCpuTimeSource } from '../receivers/process/choose-cpu-time-source.js';
import { schema } from '../receivers/process/config.js';
import { parseSettings } from '../src/config/settings.js';

/** CPU time of the default agent against C, by where the CPU time of processes comes from. */
const maxRatios = { ebpf: 1.5, procfs: 2.5 };

/** The budget of an agent that this process starts: it can use the same source as this process, also in a pid namespace. */
export async function findMaxCpuRatio(): Promise<number> {
  const { source, obstacle } = await chooseCpuTimeSource(parseSettings(schema, {}));
  source?.close();
  const found = obstacle === undefined ? 'ebpf' : 'procfs';
  console.error(`The agent reads CPU time by ${found}`);
  return maxRatios[found];
}
