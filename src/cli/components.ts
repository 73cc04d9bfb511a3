import { listBuiltInTypes } from '../component/find.js';
import { componentKinds } from '../component/kinds.js';
import { parseOptions } from '../parse-options.js';
import { readVersion } from '../version.js';
import { exitCodes, type Command } from './command.js';

/** Lists the built-in components, in the format of the Collector's command with that name. */
export const command: Command = {
  name: 'components',
  summary: 'List the built-in components',
  usage: `Usage: joulemetry components

Prints the receivers, processors, exporters and extensions of this package, as
YAML.

Components of other packages are not listed. Such a package is named
joulemetry-receiver-TYPE, joulemetry-processor-TYPE and so on, and is searched
for from the working directory, from the folder of each configuration file, and
from the folder in which joulemetry is installed.
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
