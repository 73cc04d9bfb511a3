import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeContext, createMeterReader } from '../component/fakes.js';
import type { ComponentKind } from '../component/kinds.js';
import { countOpen, expectNothingLeft } from '../linux/open-resources.js';
import { createSampling } from '../sampling/sampling-threads.js';
import type { Subject } from './component-package.js';
import { checkEmission, checkExport, checkProcessing } from './flow-checks.js';
import { createRun, shutdownTwice, type Bench, type Run, type Trial } from './trial-run.js';

/** A check of one rule of the contract. */
export interface Check {
  readonly name: string;
  /**
   * Runs the check.
   * @returns why it cannot run on this machine; undefined if it did
   * @throws AssertionError if the component violates the rule
   */
  run(): Promise<string | undefined>;
}

/** @returns why it could not be checked */
type RunCheck = (bench: Bench) => Promise<string | undefined>;

const checks: Readonly<Record<ComponentKind, Readonly<Record<string, RunCheck>>>> = {
  receiver: { 'publishes and reports what it declares': checkEmission },
  processor: { 'takes what a simulated machine publishes, and keeps every joule': checkProcessing },
  exporter: { 'takes what a simulated machine publishes, and counts it': checkExport },
  extension: {},
};

const checksOfAll: Readonly<Record<string, RunCheck>> = {
  'shuts down without start, and twice': checkShutdown,
  'starts and stops twice and leaves nothing open': checkLifecycle,
};

/** The checks that run a component with some settings, each in a temporary folder. */
export function runChecks(subject: Subject, trial: Trial): readonly Check[] {
  const all = Object.entries({ ...checksOfAll, ...checks[subject.kind] });
  return all.map(([name, check]) => ({
    name: `${name}, with ${trial.name}`,
    run: async () =>
      trial.needs === undefined
        ? inTemporaryFolder(() => runCheck(subject, trial, check))
        : `not run: ${trial.needs}`,
  }));
}

/** Examples may write files. */
async function inTemporaryFolder<Result>(work: () => Promise<Result>): Promise<Result> {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-contract-'));
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runCheck(subject: Subject, trial: Trial, check: RunCheck): Promise<string | undefined> {
  const telemetry = createMeterReader();
  const fake = createFakeContext({ id: trial.id, meter: telemetry.meter });
  const sampling = createSampling(fake);
  const context = { ...fake, sampling };
  try {
    return await check({ subject, trial, telemetry, create: () => createRun(subject, trial, context) });
  } finally {
    await sampling.shutdown();
  }
}

async function checkShutdown({ create }: Bench): Promise<undefined> {
  await shutdownTwice(create());
}

async function checkLifecycle({ create }: Bench): Promise<string | undefined> {
  // The first run may open what stays open, for example a library.
  const missing = await startAndStop(create());
  const before = countOpen();
  await startAndStop(create());
  await expectNothingLeft(before);
  return missing;
}

async function startAndStop(run: Run): Promise<string | undefined> {
  try {
    return await run.start();
  } finally {
    await shutdownTwice(run);
  }
}
