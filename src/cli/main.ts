#!/usr/bin/env node
// Checks where it runs before it loads anything that would fail there with a message that does not help.
import { noteInherited } from '../linux/inherited.js';
import { readDescriptorLimit } from '../linux/privileges.js';
import { keepInspectorClosed } from './inspector.js';

// Before anything is opened.
noteInherited();
await keepInspectorClosed();

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const platform = 'Node 20.19 or newer on Linux';

function refuse(found: string, wanted = platform): void {
  process.stderr.write(`Cannot run joulemetry: expected ${wanted}, found ${found}\n`);
  process.exitCode = 1;
}

/** Installed components are looked for from there, and paths of the configuration start there. */
function hasWorkingDirectory(): boolean {
  try {
    return process.cwd() !== '';
  } catch {
    return false;
  }
}

/** With fewer, Node cannot even load what is to run, and does not say why. */
const minDescriptors = 64;

/** Whether the command is `run`, the one that goes on until a signal. */
function isAgent([first = 'run']: readonly string[]): boolean {
  return first === 'run' || first.startsWith('-');
}

async function run(args: readonly string[]): Promise<void> {
  const limit = readDescriptorLimit();
  if (isAgent(args) && limit < minDescriptors) {
    const remedy = 'set LimitNOFILE= in a systemd unit, or ulimit -n in a shell';
    return refuse(`${limit}; ${remedy}`, `a limit of at least ${minDescriptors} open files`);
  }
  if (isAgent(args)) (await import('./signals.js')).leaveOnSignal();
  const { runCommandLine } = await import('./command-line.js');
  process.exitCode = await runCommandLine(args);
}

if (major < 20 || (major === 20 && minor < 19)) refuse(`Node ${process.versions.node}`);
else if (process.platform !== 'linux') refuse(`the operating system "${process.platform}"`);
else if (!hasWorkingDirectory()) refuse('one that was removed', 'a working directory that exists');
else {
  await run(process.argv.slice(2));
}
