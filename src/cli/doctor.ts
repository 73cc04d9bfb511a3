import { describeConflict } from '../component/claims.js';
import type { ReceiverContext } from '../component/component.js';
import { createFactoryFinder, listBuiltInTypes } from '../component/find.js';
import { escapeControls, formatJson } from '../component/output.js';
import type { ServiceConfig } from '../config/service.js';
import { parseSettings } from '../config/settings.js';
import { createWallClock } from '../linux/clock.js';
import { parseOptions } from '../parse-options.js';
import { findExpectedConflicts } from '../pipeline/claims.js';
import { receiverContextFor } from '../pipeline/running-receiver.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { createPlainLog } from '../telemetry/log.js';
import { silentMeter } from '../telemetry/telemetry.js';
import { readVersion } from '../version.js';
import { exitCodes, type Command } from './command.js';
import { configOptions, validateConfigOf, type ConfigOptions } from './config-options.js';
import {
  checkPorts,
  checkReceiver,
  findBestSource,
  type EnergySource,
  type ReceiverCheck,
  type ReceiverSetup,
} from './doctor/component-checks.js';
import { checkSystem, type Check } from './doctor/system-checks.js';

/** Exit codes, for scripts that need measured energy. */
const exitCodesByEnergy = {
  measured: exitCodes.success,
  estimated: exitCodes.failure,
  none: exitCodes.failure,
} as const;

/** Reports what can be measured on this machine, and how to measure the rest. */
export const command: Command = {
  name: 'doctor',
  summary: 'Report what this machine can measure, and what is missing',
  usage: `Usage: joulemetry doctor [OPTIONS]

Checks for every receiver whether its source exists and can be read, and checks
the system settings and network ports that the configuration needs. For each
missing permission it prints the command that grants it. It changes nothing.

Exits with 0 if energy can be measured, and with 1 if it can only be estimated
or is not available at all.

Options:
  -c, --config FILE     check the receivers of this configuration. Repeat it to
                        merge files. Without it: every built-in receiver, with
                        its default settings.
      --set PATH=VALUE  override one setting
      --json            print the result as JSON
`,
  async run(args) {
    const options = { ...configOptions, json: { type: 'boolean' } } as const;
    const { config = [], set = [], json = false } = parseOptions({ args: [...args], options }).values;
    const diagnosis = await diagnose({ config, set });
    process.stdout.write(json ? createJson(diagnosis) : describeDiagnosis(diagnosis, findWidth()));
    return exitCodesByEnergy[diagnosis.energy];
  },
};

function createJson({ version, ...rest }: Diagnosis): string {
  return formatJson({ joulemetry_version: version, ...rest });
}

async function diagnose(options: ConfigOptions): Promise<Diagnosis> {
  const service = await validateConfigOf(options);
  const log = createPlainLog('error');
  const sampling = createSampling({ log, meter: silentMeter });
  const clock = createWallClock();
  const host = { attributes: {} };
  const contextOf = (id: string): ReceiverContext =>
    receiverContextFor({ logFor: () => log, clock, meter: silentMeter, host, sampling }, id);
  const isConfigured = options.config.length > 0 || options.set.length > 0;
  const setups = isConfigured ? listConfigured(service, contextOf) : await listBuiltIn(contextOf);
  const receivers = await Promise.all(setups.map(checkReceiver));
  await sampling.shutdown();
  const system = [...(await checkSystem()), ...(await checkPorts(service, log)), ...checkPublishers(service)];
  return { version: readVersion(), energy: findBestSource(receivers), receivers, system };
}

/** Warnings of a run with this configuration. */
function checkPublishers(service: ServiceConfig): readonly Check[] {
  return findExpectedConflicts(service).map((conflict) => ({
    name: 'publishers',
    state: 'note',
    found: describeConflict(conflict),
    remedies: [],
  }));
}

function findWidth(): number {
  return Math.max(minColumns, Math.min(maxColumns, process.stdout.columns ?? maxColumns));
}

type ContextOf = (id: string) => ReceiverContext;

function listConfigured({ receivers }: ServiceConfig, contextOf: ContextOf): readonly ReceiverSetup[] {
  return [...receivers.values()].map(({ id, factory, settings }) => ({
    id,
    factory,
    settings,
    context: contextOf(id),
  }));
}

async function listBuiltIn(contextOf: ContextOf): Promise<readonly ReceiverSetup[]> {
  const finder = createFactoryFinder(process.cwd());
  const setups = listBuiltInTypes('receiver').map(async (id) => {
    const factory = await finder.find('receiver', id);
    return factory
      ? [{ id, factory, settings: parseSettings(factory.schema, {}), context: contextOf(id) }]
      : [];
  });
  return (await Promise.all(setups)).flat();
}

/** The result of `doctor`. */
export interface Diagnosis {
  readonly version: string;
  readonly energy: EnergySource;
  readonly receivers: readonly ReceiverCheck[];
  readonly system: readonly Check[];
}

/** For files and pipes; a terminal may be narrower. */
const maxColumns = 110;
const minColumns = 60;

const verdicts: Readonly<Record<EnergySource, string>> = {
  measured: 'Energy can be measured on this machine.',
  estimated: 'Energy cannot be measured on this machine, only estimated from CPU usage.',
  none: 'Energy can be neither measured nor estimated on this machine.',
};

/** The diagnosis for people, wrapped to a number of columns where that is possible. */
export function describeDiagnosis(
  { version, energy, receivers, system }: Diagnosis,
  width = maxColumns,
): string {
  const nameWidth = Math.max(...[...receivers, ...system].map(({ name }) => name.length));
  const describe = (checks: readonly Check[]) =>
    checks.flatMap((check) => describeCheck(check, { nameWidth, width }));
  const lines = [
    `joulemetry ${version}`,
    '',
    'Receivers',
    ...describe(receivers),
    '',
    'System',
    ...describe(system),
    '',
    verdicts[energy],
  ];
  return `${lines.join('\n')}\n`;
}

interface Widths {
  readonly nameWidth: number;
  /** Of a line. */
  readonly width: number;
}

function describeCheck(
  { name, state, found: text, remedies }: Check,
  { nameWidth, width }: Widths,
): readonly string[] {
  const found = escapeControls(text);
  const head = `  ${state.padEnd('missing'.length)}  ${name.padEnd(nameWidth)}  `;
  const indent = ' '.repeat(head.length);
  const columns = width - head.length;
  // What is too long for one line is split at its parts.
  const parts = found.length <= columns ? [found] : found.split(/(?<=;) /u);
  const [first = '', ...rest] = parts.flatMap((part) => wrap(part, columns));
  return [
    head + first,
    ...rest.map((line) => indent + line),
    ...remedies.flatMap((remedy) => [
      `${indent}- ${escapeControls(remedy.missing)}:`,
      `${indent}    ${escapeControls(remedy.command)}`,
    ]),
  ];
}

/** Wraps a text between words. Commands are not wrapped, so that they can be copied. */
function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
