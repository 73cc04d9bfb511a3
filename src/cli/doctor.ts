import type { ReceiverContext } from '../component/component.js';
import { formatJson } from '../component/escape-controls.js';
import { createFactoryFinder, listBuiltInTypes } from '../component/find.js';
import type { ServiceConfig } from '../config/service.js';
import { parseSettings } from '../config/settings.js';
import { createWallClock } from '../linux/wall-clock.js';
import { receiverContextFor } from '../pipeline/receivers.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { createPlainLog } from '../telemetry/log.js';
import { describeConflict } from '../component/conflict-report.js';
import { findExpectedConflicts } from '../pipeline/expected-conflicts.js';
import type { Check } from './doctor/check.js';
import type { Command } from './command.js';
import { configOptions, type ConfigOptions, judgeConfigOf, parseOptions } from './config-options.js';
import { checkPorts } from './doctor/port-checks.js';
import { checkReceiver, findBestSource, type ReceiverSetup } from './doctor/receiver-checks.js';
import { checkSystem } from './doctor/system-checks.js';
import { describeDiagnosis, type Diagnosis } from './doctor/text.js';
import { silentMeter } from '../telemetry/silent-meter.js';
import { readVersion } from '../version.js';

/** Exit codes: a script that wants real joules can ask first. */
const exitCodesByEnergy = { measured: 0, estimated: 1, none: 1 } as const;

/** Reports what can be measured on this machine, and how to measure the rest. */
export const command: Command = {
  name: 'doctor',
  summary: 'Report what this machine can measure, and what is missing',
  usage: `Usage: joulemetry doctor [OPTIONS]

Checks for every receiver whether its source exists and can be read, and checks
the system settings and network ports that the configuration needs. For each
missing permission it prints the command that grants it. It changes nothing.

Exits with 0 if energy can be measured, and with 1 if it can only be estimated,
or not even that.

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
    process.stdout.write(json ? createJson(diagnosis) : describeDiagnosis(diagnosis));
    return exitCodesByEnergy[diagnosis.energy];
  },
};

function createJson({ version, ...rest }: Diagnosis): string {
  return formatJson({ joulemetry_version: version, ...rest });
}

async function diagnose(options: ConfigOptions): Promise<Diagnosis> {
  const service = await judgeConfigOf(options);
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
  const system = [...checkSystem(), ...(await checkPorts(service, log)), ...checkPublishers(service)];
  return { version: readVersion(), energy: findBestSource(receivers), receivers, system };
}

/** What a run would warn of. */
function checkPublishers(service: ServiceConfig): readonly Check[] {
  return findExpectedConflicts(service).map((conflict) => ({
    name: 'publishers',
    state: 'note',
    found: describeConflict(conflict),
    remedies: [],
  }));
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
