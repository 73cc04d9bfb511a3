import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { CpuClock } from '../src/linux/clocks.js';
import { stayOnCpu0 } from './perf-sampler.js';
import { endProgram } from './processes.js';

/** An agent, in a separate process, that samples energy at one rate. */
export interface SamplingAgent {
  readonly pid: number;
  /** CPU microseconds of all its threads since the start. */
  readCpuUs(): number;
  /** CPU microseconds of the sampling thread. */
  readSamplerCpuUs(): number;
  /** Ticks since the start, from its own telemetry. */
  readTicks(): Promise<{ readonly taken: number; readonly missed: number }>;
  end(): Promise<void>;
}

export interface SamplingAgentOptions {
  readonly hz: number;
  /** The entry of `exporters`, in YAML: `otlp_http: {endpoint: "http://localhost:4318"}`. */
  readonly exporter: string;
  /** Whether the sampling thread is pinned to CPU 0. */
  readonly staysOnCpu0: boolean;
}

/**
 * The software counters that the C loop reads, in place of energy counters, which are not available in a
 * virtual machine.
 */
export const energyEvents = {
  'energy-pkg': 'event=0x00',
  'energy-cores': 'event=0x03',
  'energy-gpu': 'event=0x02',
  'energy-ram': 'event=0x04',
};

/**
 * Starts an agent with only the rapl receiver.
 * @throws Error when it exits before it measures
 */
export async function startSamplingAgent(options: SamplingAgentOptions): Promise<SamplingAgent> {
  const sysfs = new FakeSysfs();
  sysfs.writePmu(energyEvents);
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  const config = join(folder, 'sampling.yaml');
  writeFileSync(config, describeConfig(sysfs.root, options));
  const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'run', '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const clean = () => {
    rmSync(folder, { recursive: true, force: true });
    sysfs.remove('.');
  };
  try {
    const page = await findPage(child);
    const pid = Number(child.pid);
    const sampler = findFastThread(pid);
    if (options.staysOnCpu0) stayOnCpu0(sampler);
    return {
      pid,
      readCpuUs: () => readCpuUs(child),
      readSamplerCpuUs: () => readThreadCpuUs(pid, sampler),
      readTicks: () => readTicks(page),
      async end() {
        child.kill('SIGCONT');
        await endProgram(child);
        clean();
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    clean();
    throw error;
  }
}

function describeConfig(sysfs: string, { hz, exporter }: SamplingAgentOptions): string {
  const name = exporter.slice(0, exporter.indexOf(':'));
  return `
receivers: {rapl: {sysfs: ${sysfs}, interface: perf_event, sampling_interval: ${1e6 / hz}us}}
exporters: {${exporter}}
service:
  pipelines: {metrics: {receivers: [rapl], exporters: [${name}]}}
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {port: 0}}}}]}}
`;
}

/** The address of its telemetry page, which the agent logs. */
function findPage(child: ChildProcess): Promise<string> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`Cannot measure the agent: it ended\n${log}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const page = /Serving own metrics at (\S+)\n/u.exec(log)?.[1];
      if (page !== undefined && log.includes('Everything is ready')) resolve(page);
    });
  });
}

/**
 * The sampling thread: the one with real-time scheduling or, at a low rate or where that is refused, the one
 * that was started last.
 */
function findFastThread(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return threads.find((tid) => isRealTime(pid, tid)) ?? Math.max(...threads);
}

/** Field 41 of `stat` is the scheduling policy; 1 is SCHED_FIFO. */
function isRealTime(pid: number, tid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38] === '1';
}

function readCpuUs({ pid, exitCode }: ChildProcess): number {
  const clock = new CpuClock();
  if (pid === undefined || exitCode !== null || !clock.read(pid)) {
    throw new Error(`Cannot measure the agent: it ended with exit code ${exitCode}`);
  }
  return clock.seconds * 1e6 + clock.nanoseconds / 1e3;
}

function readThreadCpuUs(pid: number, tid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]) / 1e3;
}

async function readTicks(page: string): Promise<{ taken: number; missed: number }> {
  const text = await (await fetch(page)).text();
  const find = (name: string) => Number(new RegExp(`^${name}\\S* (\\d+)$`, 'mu').exec(text)?.[1]);
  return { taken: find('joulemetry_sampler_ticks'), missed: find('joulemetry_sampler_missed_ticks') };
}
