import { describeConflict } from '../component/conflict-report.js';
import { findExpectedConflicts } from '../pipeline/expected-conflicts.js';
import { exitCodes, type Command } from './command.js';
import { configOptions, configUsage, judgeConfigOf, parseOptions } from './config-options.js';
import { writeMessage } from '../telemetry/write-message.js';

/** Says what is wrong with a configuration, without starting anything. */
export const command: Command = {
  name: 'validate',
  summary: 'Check a configuration and start nothing',
  usage: `Usage: joulemetry validate [OPTIONS]

Reads the configuration and reports everything that is wrong with it, with file, line and column. Warns of
receivers that would publish the same series.
Exits with 0 when it can be used and with 2 when it cannot.

${configUsage}
`,
  async run(args) {
    const { values } = parseOptions({ args: [...args], options: configOptions });
    const { config = [], set = [] } = values;
    const service = await judgeConfigOf({ config, set });
    for (const conflict of findExpectedConflicts(service)) writeMessage(describeConflict(conflict));
    const { pipelines } = service;
    process.stdout.write(`The configuration is right: ${pipelines.map(({ id }) => id).join(', ')}\n`);
    return exitCodes.success;
  },
};
