// The floor of CPU accounting without eBPF: reads the CPU clock of each of its many child processes, which sleep while
// it runs; BUSY of them wake up in each pause.
// Usage: cpu-clocks PROCESSES ROUNDS PAUSE_US [BUSY]. Prints: CPU nanoseconds per process and round, the median of all rounds.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int compare(const void *a, const void *b) {
  double one = *(const double *)a, other = *(const double *)b;
  return one < other ? -1 : one > other;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int count = atoi(argv[1]), rounds = atoi(argv[2]), pause_us = atoi(argv[3]);
  int busy = argc > 4 ? atoi(argv[4]) : 0;
  pid_t *pids = calloc(count, sizeof *pids);
  double *results = calloc(rounds, sizeof *results);
  for (int i = 0; i < count; i++) {
    pids[i] = fork();
    if (pids[i] < 0) return 1;
    if (pids[i] > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) i < busy ? usleep(pause_us / 2) : pause();
  }
  long long sum = 0;
  for (int round = 0; round < rounds; round++) {
    long long before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < count; i++) sum += now_ns((~pids[i] << 3) | 2);
    results[round] = (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - before) / count;
    usleep(pause_us);
  }
  qsort(results, rounds, sizeof *results, compare);
  printf("%f\n", results[rounds / 2]);
  for (int i = 0; i < count; i++) kill(pids[i], SIGKILL);
  return sum < 0;
}
