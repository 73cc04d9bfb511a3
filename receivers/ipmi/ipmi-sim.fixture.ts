import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';

const source = new URL('../../../receivers/ipmi/testdata/', import.meta.url).pathname;

function isHere(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args).error === undefined;
}

/** Why a C program that includes linux/ipmi.h cannot be built; false: it can. For `skip` of tests. */
export const withoutCompiler = isHere('gcc', '--version') ? false : 'gcc is missing';

/** Why the device that the tests preload cannot be read with ipmitool; false: it can. */
export const withoutIpmitool = withoutCompiler || (isHere('ipmitool', '-V') ? false : 'ipmitool is missing');

/** Why a BMC cannot be simulated and queried with another program; false: it can. */
export const withoutSimulator =
  withoutCompiler ||
  (isHere('ipmi_sim', '-v') && isHere('ipmitool', '-V') ? false : 'ipmi_sim or ipmitool is missing');

/** Builds a C file of `testdata/`. @returns its path */
export function build(name: string, ...flags: readonly string[]): string {
  const path = join(createFolder(), name);
  const args = ['-O1', '-Wall', ...flags, '-o', path, `${source}${name}.c`];
  const { status, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot build ${source}${name}.c: ${stderr}`);
  return path;
}

/** A sensor of a simulated BMC: its record, and its raw reading. */
export interface SimulatedSensor {
  readonly record: Uint8Array;
  readonly number: number;
  readonly sensorType: number;
  readonly raw: number;
}

export interface Simulator {
  /** The port to which virtual machines connect. */
  readonly port: number;
  /** Runs ipmitool over LAN. @returns its output */
  ipmitool(...args: readonly string[]): string;
}

/** Starts ipmi_sim, which ends with the test. */
export async function startSimulator(
  t: TestContext,
  sensors: readonly SimulatedSensor[],
): Promise<Simulator> {
  const folder = createFolder();
  const [lan, port] = [await findPort(), await findPort()];
  mkdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'lan.conf'), describeLan(lan, port));
  writeFileSync(join(folder, 'commands'), describeBmc(sensors));
  const args = [
    '-c',
    join(folder, 'lan.conf'),
    '-f',
    join(folder, 'commands'),
    '-s',
    join(folder, 'state'),
    '-n',
  ];
  const simulator = spawn('ipmi_sim', args, { stdio: 'ignore' });
  t.after(async () => {
    const ended = once(simulator, 'exit');
    if (simulator.exitCode === null && simulator.kill('SIGKILL')) await ended;
  });
  const base = ['-I', 'lan', '-H', '127.0.0.1', '-p', String(lan), '-U', 'root', '-P', 'test'];
  const ask = (more: readonly string[]) => spawnSync('ipmitool', [...base, ...more], { encoding: 'utf8' });
  await until(() => ask(['mc', 'info']).status === 0);
  return {
    port,
    ipmitool(...more) {
      const { status, stdout, stderr } = ask(more);
      if (status !== 0) throw new Error(`Cannot run ipmitool ${more.join(' ')}: ${stderr}`);
      return stdout;
    },
  };
}

function describeLan(lan: number, port: number): string {
  const methods = 'none md2 md5 straight';
  const levels = ['callback', 'user', 'operator', 'admin'].map(
    (level) => `  allowed_auths_${level} ${methods}`,
  );
  return [
    'name "test"',
    'startlan 1',
    `  addr 127.0.0.1 ${lan}`,
    '  priv_limit admin',
    ...levels,
    'endlan',
    `user 1 true "" "test" user 10 ${methods}`,
    `user 2 true "root" "test" admin 10 ${methods}`,
    `serial 15 127.0.0.1 ${port} codec VM`,
    '',
  ].join('\n');
}

function describeBmc(sensors: readonly SimulatedSensor[]): string {
  const none = '0'.repeat(15);
  const lines = sensors.flatMap(({ record, number, sensorType, raw }) => [
    `sensor_add 0x20 0 ${number} ${sensorType} 1`,
    `sensor_set_value 0x20 0 ${number} ${raw} 0`,
    `sensor_set_event_support 0x20 0 ${number} enable scanning per-state ${none} ${none} ${none} ${none}`,
    `main_sdr_add 0x20 ${Array.from(record, (byte) => `0x${byte.toString(16)}`).join(' ')}`,
  ]);
  const controller = 'mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02';
  return ['mc_setbmc 0x20', controller, ...lines, 'mc_enable 0x20', ''].join('\n');
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  server.close();
  await once(server, 'close');
  return port;
}
