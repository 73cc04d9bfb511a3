import { escapeControls } from '../component/output.js';
import { loadComponentPackage } from '../contract/component-package.js';
import { listChecks } from '../contract/contract.js';
import type { Check } from '../contract/run-checks.js';
import { describeError, UsageError } from '../errors.js';
import { parseOptions } from '../parse-options.js';
import { exitCodes, type Command } from './command.js';

/** Runs the contract tests against a third-party component. */
export const command: Command = {
  name: 'test-component',
  summary: 'Run the contract tests against a component package',
  usage: `Usage: joulemetry test-component [FOLDER]

Runs the tests that every component must pass against the npm package in FOLDER
(default: the working directory). The package must be named
joulemetry-KIND-TYPE, its main module must export "factory", and its README.md
must document settings, metrics and examples. The component is run with its
default settings and with every example of the README.

Prints one line per test: ok, FAIL with the reason, or skip with the reason.
Exits with 1 if a test fails.
`,
  async run(args) {
    const { positionals } = parseOptions({ args: [...args], allowPositionals: true });
    const [folder = '.', more] = positionals;
    if (more !== undefined) throw new UsageError(`Cannot test "${more}": expected one folder, found several`);
    const checks = listChecks(await loadComponentPackage(folder));
    let failed = 0;
    for (const check of checks) failed += Number(!(await runCheck(check)));
    process.stdout.write(`${checks.length} tests, ${failed} failed\n`);
    return failed === 0 ? exitCodes.success : exitCodes.failure;
  },
};

/** @returns whether the component passes the check, as far as this machine can show */
async function runCheck({ name, run }: Check): Promise<boolean> {
  try {
    const reason = await run();
    const line = reason === undefined ? `ok    ${name}` : `skip  ${name}: ${reason}`;
    process.stdout.write(`${escapeControls(line)}\n`);
    return true;
  } catch (error) {
    const reasons = describeError(error).split('\n').map(escapeControls);
    process.stdout.write(`FAIL  ${escapeControls(name)}\n      ${reasons.join('\n      ')}\n`);
    return false;
  }
}
