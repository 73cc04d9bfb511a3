// A compute-bound program on one CPU: its run time shows the slowdown by a neighbour.
// Usage: busy CPU ROUNDS. Prints: wall microseconds, CPU microseconds.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// 512 KiB, so that evicted cache lines also show.
static uint32_t table[131072];

static uint32_t compute(long rounds) {
  uint32_t x = 1;
  for (long round = 0; round < rounds; round++)
    for (int i = 0; i < 131072; i++) {
      x = x * 1664525u + 1013904223u;
      table[i] += x ^ table[x >> 15];
    }
  return table[x >> 15];
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(atoi(argv[1]), &set);
  sched_setaffinity(0, sizeof set, &set);
  uint32_t result = compute(20);
  int64_t wall_ns = now_ns(CLOCK_MONOTONIC), cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  result ^= compute(atol(argv[2]));
  wall_ns = now_ns(CLOCK_MONOTONIC) - wall_ns;
  cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
  printf("%.1f %.1f\n", wall_ns / 1e3, cpu_ns / 1e3);
  return result == 42;
}
