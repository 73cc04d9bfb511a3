#!/usr/bin/env node
// Checks where it runs before it loads anything that would fail there with a message that does not help: it imports
// nothing before it knows.

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

if (major < 20 || (major === 20 && minor < 19)) refuse(`Node ${process.versions.node}`);
else if (process.platform !== 'linux') refuse(`the operating system "${process.platform}"`);
else if (!hasWorkingDirectory()) refuse('one that was removed', 'a working directory that exists');
else {
  const { start } = await import('./start.js');
  await start(process.argv.slice(2), refuse);
}
