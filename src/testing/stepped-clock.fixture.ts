import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from './temporary-folder.fixture.js';

/**
 * A preloaded library: CLOCK_REALTIME is STEP_BY seconds ahead as soon as the file STEP_FILE exists; with
 * STEP_BOOTTIME, so is CLOCK_BOOTTIME, as after a suspend.
 */
const shim = `#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long step(void) { return access(getenv("STEP_FILE"), F_OK) == 0 ? atol(getenv("STEP_BY")) : 0; }
int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_REALTIME || (clock == CLOCK_BOOTTIME && getenv("STEP_BOOTTIME"))) time->tv_sec += step();
  return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  int result = syscall(SYS_gettimeofday, time, zone);
  time->tv_sec += step();
  return result;
}
`;

/** The clocks of a program, which a test steps once. */
export interface SteppedClock {
  /** Environment variables that the program needs. */
  readonly env: NodeJS.ProcessEnv;
  /** The clocks are stepped once this file exists. */
  readonly file: string;
  step(): void;
}

export interface Step {
  readonly seconds: number;
  /** Whether the step is a suspend: CLOCK_BOOTTIME is stepped, too, and only CLOCK_MONOTONIC is not. */
  readonly isSuspend?: boolean;
}

const folder = createFolder();
const library = join(folder, 'step.so');
writeFileSync(join(folder, 'step.c'), shim);
const { status, error } = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, join(folder, 'step.c')]);

/** Why tests cannot step clocks here; false if they can. For `skip` of tests. */
export const noSteppedClock =
  status === 0 ? false : `cannot build a library with gcc: ${error?.message ?? `exit code ${status}`}`;

/** For tests: the clocks of the machine, for one program, until they are stepped. */
export function createSteppedClock({ seconds, isSuspend = false }: Step): SteppedClock {
  const file = join(createFolder(), 'stepped');
  const env = {
    LD_PRELOAD: library,
    STEP_FILE: file,
    STEP_BY: `${seconds}`,
    ...(isSuspend && { STEP_BOOTTIME: '1' }),
  };
  return { env, file, step: () => writeFileSync(file, '') };
}
