import { spawnSync } from 'node:child_process';

/**
 * Decides whether a test that cannot run on this machine is skipped.
 * @param obstacle why it cannot; false or undefined if it can
 * @returns the test's option `skip`
 * @throws Error with the obstacle, if JOULEMETRY_TEST_ROOT=required forbids skipping for lack of privileges
 */
export function skipFor(obstacle: string | false | undefined): string | false {
  if (obstacle === undefined || obstacle === false) return false;
  if (process.env['JOULEMETRY_TEST_ROOT'] === 'required') throw new Error(`Cannot skip a test: ${obstacle}`);
  return obstacle;
}

/** The option `skip` of a test that needs this privileged command: `unshare --pid`. */
export function skipWithout(command: readonly string[]): string | false {
  const [name = '', ...args] = command;
  const { status, error, stderr } = spawnSync(name, [...args, 'true'], { encoding: 'utf8' });
  if (status === 0) return false;
  return skipFor(`needs root, to run ${command.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
