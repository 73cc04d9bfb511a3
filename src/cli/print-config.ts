import { Document, visit } from 'yaml';
import { createFinderFor } from '../component/find.js';
import { escapeInQuotes, formatJson, hasControls } from '../component/output.js';
import { printableConfig } from '../config/printable-config.js';
import { validateService } from '../config/service.js';
import { UsageError } from '../errors.js';
import { parseOptions } from '../parse-options.js';
import { exitCodes, type Command } from './command.js';
import { configOptions, configUsage, loadConfigOf } from './config-options.js';

const formats = ['yaml', 'json'];
const modes = ['redacted', 'unredacted'];

/** Prints the configuration after merging and substitution. */
export const command: Command = {
  name: 'print-config',
  summary: 'Print the merged configuration, with secrets redacted',
  usage: `Usage: joulemetry print-config [OPTIONS]

Prints the configuration that the other commands would use: all files and --set
merged, and references such as \${env:NAME} replaced. Secrets are shown as
[REDACTED].

Options:
${configUsage}
      --format FORMAT   yaml (default) or json
      --mode MODE       redacted (default) or unredacted, which shows secrets
`,
  async run(args) {
    const options = { ...configOptions, format: { type: 'string' }, mode: { type: 'string' } } as const;
    const {
      config = [],
      set = [],
      format = 'yaml',
      mode = 'redacted',
    } = parseOptions({
      args: [...args],
      options,
    }).values;
    requireOne('--format', format, formats);
    requireOne('--mode', mode, modes);
    const root = await loadConfigOf({ config, set });
    const service = await validateService(root, createFinderFor(config));
    const plain = printableConfig(root, service, mode === 'redacted');
    process.stdout.write(format === 'json' ? formatJson(plain) : formatYaml(plain));
    return exitCodes.success;
  },
};

/** Only double-quoted YAML strings have JSON's escapes. */
function formatYaml(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && hasControls(scalar.value.replaceAll('\n', ''))) {
        scalar.type = 'QUOTE_DOUBLE';
      }
    },
  });
  return escapeInQuotes(document.toString());
}

function requireOne(option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new UsageError(`Cannot use ${option} "${value}": expected ${known.join(' or ')}`);
}
