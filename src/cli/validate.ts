import { exitCodes, type Command } from './command.js';
import { configOptions, configUsage, judgeConfigOf, parseOptions } from './config-options.js';

/** Says what is wrong with a configuration, without starting anything. */
export const command: Command = {
  name: 'validate',
  summary: 'Check a configuration and start nothing',
  usage: `Usage: joulemetry validate [OPTIONS]

Reads the configuration and says everything that is wrong with it, with file, line and column.
Exits with 0 when it can be used and with 2 when it cannot.

${configUsage}
`,
  async run(args) {
    const { values } = parseOptions({ args: [...args], options: configOptions });
    const { config = [], set = [] } = values;
    const { pipelines } = await judgeConfigOf({ config, set });
    process.stdout.write(`The configuration is right: ${pipelines.map(({ id }) => id).join(', ')}\n`);
    return exitCodes.success;
  },
};
