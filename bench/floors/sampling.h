// Shared by the loops in C: the clock, their CPU time, and the scheduling of sampling threads. Defines functions, so
// each program includes it once, after _GNU_SOURCE.
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

// Timer slack and, where permitted, real-time scheduling, as in the sampling threads.
static void be_punctual(int64_t period_ns) {
  struct sched_param param = {.sched_priority = 1};
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  if (period_ns <= 3000000) pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}
