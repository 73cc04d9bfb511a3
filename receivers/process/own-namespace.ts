import { readRegularText } from '../../src/linux/regular-file.js';

/** Whether a procfs is that of this process's pid namespace. */
export function isOwnNamespace(procfs: string): boolean {
  // NSpid has one number for each PID namespace from that of the procfs to the agent's own: a single one if they
  // are the same.
  return findStatusLine(`${procfs}/self/status`, 'NSpid') === String(process.pid);
}

function findStatusLine(path: string, name: string): string | undefined {
  try {
    const prefix = `${name}:\t`;
    const line = readRegularText(path)
      .split('\n')
      .find((each) => each.startsWith(prefix));
    return line?.slice(prefix.length);
  } catch {
    // The folder is not a procfs (test files), or the agent is not visible in it.
    return undefined;
  }
}
