import { noteInherited } from '../linux/inherited.js';
import { readDescriptorLimit } from '../linux/privileges.js';
import { runCommandLine } from './command-line.js';
import { enableCompileCache } from './compile-cache.js';
import { keepInspectorClosed } from './inspector.js';

/** With fewer, Node cannot even load the program, and does not report why. */
const minDescriptors = 64;

/** Whether the command is `run`, which continues until a signal. */
function isAgent([first = 'run']: readonly string[]): boolean {
  return first === 'run' || first.startsWith('-');
}

/**
 * Runs the program on a supported machine.
 * @param args arguments after the program's name
 * @param refuse reports that it cannot run here: what was found, and what is needed
 */
export async function start(
  args: readonly string[],
  refuse: (found: string, wanted: string) => void,
): Promise<void> {
  // Before any descriptor is opened.
  noteInherited();
  keepInspectorClosed();
  const limit = readDescriptorLimit();
  if (isAgent(args) && limit < minDescriptors) {
    const remedy = 'set LimitNOFILE= in a systemd unit, or ulimit -n in a shell';
    return refuse(`${limit}; ${remedy}`, `a limit of at least ${minDescriptors} open files`);
  }
  enableCompileCache();
  if (isAgent(args)) (await import('./signals.js')).leaveOnSignal();
  process.exitCode = await runCommandLine(args);
}
