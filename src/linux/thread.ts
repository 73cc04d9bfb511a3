import { libc, nameErrno } from './libc.js';

// Numbers: include/uapi/linux/prctl.h and sched.h.
const setTimerSlack = 29;
const schedOther = 0;
const schedFifo = 1;
/** Children of this thread get ordinary scheduling again. */
const schedResetOnFork = 0x40000000;
const lowestPriority = 1;

const prctl = libc.func(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
) as (...args: [option: number, a: number, b: number, c: number, d: number]) => number;

const pthreadSelf = libc.func('unsigned long pthread_self()') as () => number | bigint;

// Not sched_setscheduler, which musl does not implement.
const pthreadSetschedparam = libc.func(
  'int pthread_setschedparam(unsigned long thread, int policy, const void *param)',
) as (thread: number | bigint, policy: number, param: Int32Array) => number;

/** Lets timed waits of the calling thread end on time, instead of up to 50 us later. */
export function sharpenTimers(): void {
  prctl(setTimerSlack, 1, 0, 0, 0);
}

/**
 * Gives the calling thread real-time scheduling (SCHED_FIFO, lowest priority), so that ordinary threads cannot
 * delay it. Such a thread must sleep often.
 * @returns the error code if it is refused: `EPERM` without CAP_SYS_NICE and RLIMIT_RTPRIO
 */
export function enterRealTime(): string | undefined {
  return setScheduling(schedFifo | schedResetOnFork, lowestPriority);
}

/** Returns the calling thread to ordinary scheduling. */
export function leaveRealTime(): void {
  setScheduling(schedOther, 0);
}

function setScheduling(policy: number, priority: number): string | undefined {
  const errno = pthreadSetschedparam(pthreadSelf(), policy, Int32Array.of(priority));
  return errno === 0 ? undefined : nameErrno(errno);
}
