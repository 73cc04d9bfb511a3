import { describeConflict } from '../component/claims.js';
import { parseOptions } from '../parse-options.js';
import { findExpectedConflicts } from '../pipeline/claims.js';
import { writeMessage } from '../telemetry/write-message.js';
import { exitCodes, type Command } from './command.js';
import { configOptions, configUsage, validateConfigOf } from './config-options.js';

/** Reports what is wrong with a configuration, without starting anything. */
export const command: Command = {
  name: 'validate',
  summary: 'Check a configuration without starting anything',
  usage: `Usage: joulemetry validate [OPTIONS]

Checks the configuration and reports every problem, with file, line and column.
Warns about receivers that would publish the same series.

Exits with 0 if the configuration is valid, and with 2 if it is not.

Options:
${configUsage}
`,
  async run(args) {
    const { values } = parseOptions({ args: [...args], options: configOptions });
    const { config = [], set = [] } = values;
    const service = await validateConfigOf({ config, set });
    for (const conflict of findExpectedConflicts(service)) writeMessage(describeConflict(conflict));
    const { pipelines } = service;
    process.stdout.write(
      `The configuration is valid. Pipelines: ${pipelines.map(({ id }) => id).join(', ')}\n`,
    );
    return exitCodes.success;
  },
};
