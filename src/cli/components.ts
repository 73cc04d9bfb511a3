import { listBuiltInTypes } from '../component/find.js';
import { componentKinds } from '../component/component.js';
import { exitCodes, type Command } from './command.js';
import { parseOptions } from './config-options.js';
import { readVersion } from '../version.js';

/** Lists what this build can do, as the Collector's command of that name does. */
export const command: Command = {
  name: 'components',
  summary: 'List the built-in receivers, processors, exporters and extensions',
  usage: `Usage: joulemetry components

Prints, as YAML, the components that come with this package. Further ones are found by their package
names, joulemetry-receiver-TYPE and so on, from the working directory, from the folder of a
configuration file, and beside this package.
`,
  run(args) {
    parseOptions({ args: [...args] });
    const sections = componentKinds.map((kind) => {
      const types = listBuiltInTypes(kind).map((type) => `  - name: ${type}\n`);
      return `${kind}s:\n${types.join('')}`;
    });
    const build = `buildinfo:\n  command: joulemetry\n  version: ${readVersion()}\n`;
    process.stdout.write(build + sections.join(''));
    return Promise.resolve(exitCodes.success);
  },
};
