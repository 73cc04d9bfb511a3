import { describeConflict } from '../component/claims.js';
import { createFinderFor } from '../component/find.js';
import { listNamedFiles } from '../config/named-files.js';
import type { ConfigNode } from '../config/node.js';
import { ConfigurationError, describeProblem } from '../config/problem.js';
import { validateService, type ServiceConfig } from '../config/service.js';
import { parseOptions } from '../parse-options.js';
import { findExpectedConflicts } from '../pipeline/claims.js';
import { writeMessage } from '../telemetry/write-message.js';
import { exitCodes, type Command } from './command.js';
import { configOptions, configUsage, loadConfigOf } from './config-options.js';
import { checkFiles } from './validate/check-files.js';

/** Reports what is wrong with a configuration, without starting anything. */
export const command: Command = {
  name: 'validate',
  summary: 'Check a configuration without starting anything',
  usage: `Usage: joulemetry validate [OPTIONS]

Checks the configuration and reports every problem, with file, line and column.
Reads the files that the start needs: certificates, keys, passwords, tokens, web
configurations, rates, recordings, modules of hooks, folders. Warns about
receivers that would publish the same series.

Exits with 0 if the configuration is valid, and with 2 if it is not.

Options:
${configUsage}
      --syntax-only     do not look at other files: for checks on a machine on
                        which the agent does not run
`,
  async run(args) {
    const options = { ...configOptions, 'syntax-only': { type: 'boolean' } } as const;
    const { values } = parseOptions({ args: [...args], options });
    const { config = [], set = [] } = values;
    const root = await loadConfigOf({ config, set });
    const service = await validateService(root, createFinderFor(config));
    if (!values['syntax-only']) await checkNamedFiles(service, root);
    for (const conflict of findExpectedConflicts(service)) writeMessage(describeConflict(conflict));
    const { pipelines } = service;
    process.stdout.write(
      `The configuration is valid. Pipelines: ${pipelines.map(({ id }) => id).join(', ')}\n`,
    );
    return exitCodes.success;
  },
};

/** @throws ConfigurationError if a start would refuse a file; where it continues without a receiver, warns */
async function checkNamedFiles(service: ServiceConfig, root: ConfigNode): Promise<void> {
  const files = listNamedFiles(service, root);
  const warnings = await checkFiles(files.filter(({ isOptional }) => isOptional));
  writeMessage(...warnings.map(describeProblem));
  const problems = await checkFiles(files.filter(({ isOptional }) => !isOptional));
  if (problems.length > 0) throw new ConfigurationError(problems);
}
