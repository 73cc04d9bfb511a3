import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

const source = new URL('../../../receivers/nvml/testdata/nvml.c', import.meta.url).pathname;

/** Answers by key, each with a status and values; see `testdata/nvml.c`. */
export type Answers = Readonly<Record<string, string>>;

/** A library that answers like NVML. */
export interface FakeNvml {
  readonly path: string;
  /** Changes answers. */
  set(answers: Answers): void;
  /** Removes answers: the calls are then not supported. */
  remove(...keys: readonly string[]): void;
}

/** Why no compiler is available; false: there is one. For `skip` of tests. */
export const withoutCompiler =
  spawnSync('gcc', ['--version']).status === 0
    ? false
    : 'gcc is missing, which builds the library for these tests';

/** The UUID of the GPU of `h100`. */
export const uuid = 'GPU-31540c43-32d7-2232-01e6-29329b4b1d56';

/** Answers of an idle H100 with driver 580.159.04. */
export const h100: Answers = {
  DriverVersion: '0 580.159.04',
  Count: '0 1',
  '*.Name': '0 NVIDIA H100 80GB HBM3',
  '*.Index': '0 0',
  '*.Serial': '0 1653823012639',
  '*.VbiosVersion': '0 96.00.DA.00.0C',
  '*.Architecture': '0 9',
  '*.CudaComputeCapability': '0 9 0',
  '*.VirtualizationMode': '0 1',
  '*.MigMode': '0 0 0',
  '*.TotalEnergyConsumption': '0 2423875',
  '*.PowerUsage': '0 73187',
  '*.PowerManagementLimitConstraints': '0 200000 700000',
  '*.EnforcedPowerLimit': '0 700000',
  '*.UtilizationRates': '0 0 0',
  '*.EncoderUtilization': '0 0 100000',
  '*.DecoderUtilization': '0 0 100000',
  '*.JpgUtilization': '0 0 100000',
  '*.OfaUtilization': '0 0 100000',
  '*.MemoryInfo': '0 85520809984 503316480 0',
  '*.ClockInfo.0': '0 855',
  '*.ClockInfo.1': '0 855',
  '*.ClockInfo.2': '0 2619',
  '*.ClockInfo.3': '0 870',
  '*.Temperature.0': '0 34',
  '*.TemperatureThreshold.0': '0 95',
  '*.TemperatureThreshold.1': '0 89',
  '*.NumFans': '0 0',
  '*.PerformanceState': '0 0',
  '*.CurrentClocksEventReasons': '0 1',
  '*.TotalEccErrors.0': '0 0',
  '*.TotalEccErrors.10': '0 0',
  '*.PcieReplayCounter': '0 0',
  '*.PcieThroughput.0': '0 719',
  '*.PcieThroughput.1': '0 636',
  '*.Field.74': '0 0 3',
  '*.Field.76': '0 0 3',
  '*.Field.82': '0 37 1',
  '*.Field.185': '0 74617 1',
  '*.Field.186': '0 72442 1',
  '*.Field.269': '0 0 3',
  '*.Field.270': '0 0 3',
  '*.Field.271': '0 0 3',
  '*.ComputeRunningProcesses': '0',
  '*.GraphicsRunningProcesses': '0',
  '*.MPSComputeRunningProcesses': '0',
  '*.ProcessUtilization': '6',
  '*.GpmSupport': '0 1',
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 20, 21].map((id) => [`*.Gpm.${id}`, '0 0'])),
  '0.UUID': `0 ${uuid}`,
};

/** Answers of several GPUs like the first. */
export function repeatGpu(count: number): Answers {
  const uuids = Array.from({ length: count }, (_, i) => [`${i}.UUID`, `0 GPU-${i}`]);
  return { ...h100, Count: `0 ${count}`, ...Object.fromEntries(uuids) };
}

/**
 * Builds a library with gcc, in the folder for temporary files.
 * @param without symbols that it lacks
 */
export function buildNvml(answers: Answers = h100, without: readonly string[] = []): FakeNvml {
  const folder = createFolder();
  const path = join(folder, 'libnvidia-ml.so.1');
  const state = join(folder, 'answers');
  const renamed = without.map((symbol) => `-D${symbol}=without_${symbol}`);
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', `-DSTATE="${state}"`, ...renamed];
  const { status, stderr } = spawnSync('gcc', [...flags, '-o', path, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot build ${source}: ${stderr}`);
  let current: Record<string, string> = { ...answers };
  const write = () => {
    const lines = Object.entries(current).map(([key, answer]) => `${key} ${answer}\n`);
    writeFileSync(`${state}.new`, lines.join(''));
    renameSync(`${state}.new`, state);
  };
  write();
  return {
    path,
    set(changed) {
      current = { ...current, ...changed };
      write();
    },
    remove(...keys) {
      current = Object.fromEntries(Object.entries(current).filter(([key]) => !keys.includes(key)));
      write();
    },
  };
}
