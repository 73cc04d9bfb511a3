// Runs a program for the scripts of this folder. Plain JavaScript without dependencies: it runs before anything is
// installed.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Time for the program to end in order. */
const graceMs = 3000;
const lookMs = 200;

/**
 * Runs a program to its end. Neither it nor what it has started outlives this process: a signal to this one is passed
 * on to all of them, and the end of npm, where this is one of its scripts, counts as SIGTERM.
 * @param options as `spawn` takes them
 * @returns the exit code, and the signal that this process got meanwhile, by which it should end, too
 */
export async function runCommand(command, args, options) {
  // Whatever is started from here inherits it, and keeps it when what has started it ends first.
  const mark = `JOULEMETRY_RUN_${process.pid}_${Date.now()}`;
  const child = spawn(command, args, { ...options, env: { ...(options.env ?? process.env), [mark]: '' } });
  let received;
  let timer;
  const end = (signal) => {
    received ??= signal;
    killAll(child, mark, signal);
    timer ??= setTimeout(killAll, graceMs, child, mark, 'SIGKILL');
  };
  for (const signal of endingSignals) process.on(signal, end);
  const watch = watchNpm(() => end('SIGTERM'));
  const status = await waitFor(child, command);
  // Also without a signal here: one to the whole process group may have reached the program first.
  killAll(child, mark, 'SIGKILL');
  clearInterval(watch);
  clearTimeout(timer);
  for (const signal of endingSignals) process.off(signal, end);
  return { status, received };
}

/** Ends this process as the command has ended, if not well. */
export function leaveUnlessDone({ status, received }) {
  if (received !== undefined) process.kill(process.pid, received);
  if (status !== 0) process.exit(status);
}

function waitFor(child, command) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`Cannot run "${command}": ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Sends a signal to the program and to all that it has started; where there is no procfs, to the program alone. */
function killAll(child, mark, signal) {
  child.kill(signal);
  for (const pid of listPids()) if (pid !== child.pid && isMarked(pid, mark)) kill(pid, signal);
}

function listPids() {
  try {
    return readdirSync('/proc').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

function isMarked(pid, mark) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${mark}=`);
  } catch {
    // It has just ended, or belongs to another user.
    return false;
  }
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Signals that npm alone gets end the shell between it and this process, or, where they cannot be caught, npm alone. */
function watchNpm(onEnd) {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const before = describeParents();
  return setInterval(() => {
    if (describeParents() !== before) onEnd();
  }, lookMs);
}

/** The parent, and where that is the shell in which npm runs a script, npm. */
function describeParents() {
  const { ppid } = process;
  try {
    const [, name, parent] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${ppid}/stat`, 'latin1')) ?? [];
    return /^(?:\w*sh|busybox)$/.test(name) ? `${ppid} ${parent}` : `${ppid}`;
  } catch {
    // It has just ended, or there is no procfs.
    return `${process.ppid}`;
  }
}
