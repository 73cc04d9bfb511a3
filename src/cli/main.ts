#!/usr/bin/env node
// Checks the platform before anything is loaded that would fail there with an unhelpful message; hence the
// dynamic imports.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const platform = 'Node 20.19 or newer on Linux';

function refuse(found: string, wanted = platform): void {
  process.stderr.write(`Cannot run joulemetry: expected ${wanted}, found ${found}\n`);
  process.exitCode = 1;
}

/** Installed components are searched from there, and paths in the configuration are relative to it. */
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
