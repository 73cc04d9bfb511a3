// The minimum cost of sampling: reads a perf group of four software counters of CPU 0 at absolute deadlines,
// stores instants and values, counts missed ticks. Arguments: HZ SECONDS [GROUPS]: the number of such groups, of
// which it stores the values of one. Prints: ticks, missed ticks, CPU microseconds.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sampling.h"

#define COUNTERS 4

static const int configs[COUNTERS] = {
    PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_CONTEXT_SWITCHES, PERF_COUNT_SW_PAGE_FAULTS,
    PERF_COUNT_SW_CPU_MIGRATIONS};

static int open_counter(int config, int leader) {
  struct perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.type = PERF_TYPE_SOFTWARE;
  attr.size = sizeof attr;
  attr.config = config;
  attr.read_format =
      PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_GROUP;
  return syscall(SYS_perf_event_open, &attr, -1, 0, leader, PERF_FLAG_FD_CLOEXEC);
}

static int open_group(void) {
  int leader = -1;
  for (int i = 0; i < COUNTERS; i++) {
    int fd = open_counter(configs[i], leader);
    if (fd < 0) {
      fprintf(stderr, "Cannot open a perf event: %s\n", strerror(errno));
      exit(1);
    }
    if (leader < 0) leader = fd;
  }
  return leader;
}

// The counters belong to CPU 0; reading them from another CPU costs an interrupt there.
static void stay_on_cpu_0(void) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int others = argc > 3 ? atoi(argv[3]) - 1 : 0;
  int *leaders = calloc(others + 1, sizeof *leaders);
  int64_t period_ns = 1000000000LL / atoi(argv[1]);
  int64_t duration_ns = atof(argv[2]) * 1e9;
  int64_t room = duration_ns / period_ns + 2;
  int64_t *instants = calloc(room, sizeof *instants);
  uint64_t *values = calloc(room * COUNTERS, sizeof *values);
  uint64_t group[3 + COUNTERS];
  int leader = open_group();
  for (int i = 0; i < others; i++) leaders[i] = open_group();
  stay_on_cpu_0();
  be_punctual(period_ns);
  double cpu_before = cpu_us();
  int64_t begin_ns = now_ns(), deadline_ns = begin_ns + period_ns;
  long ticks = 0, missed = 0;
  while (deadline_ns - begin_ns <= duration_ns) {
    struct timespec deadline = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
    for (int i = 0; i < others; i++)
      if (read(leaders[i], group, sizeof group) != sizeof group) return 1;
    if (read(leader, group, sizeof group) != sizeof group) return 1;
    int64_t at_ns = now_ns();
    instants[ticks] = at_ns;
    memcpy(values + ticks * COUNTERS, group + 3, COUNTERS * sizeof *values);
    ticks++;
    int64_t passed = (at_ns - deadline_ns) / period_ns;
    missed += passed;
    deadline_ns += (passed + 1) * period_ns;
  }
  printf("%ld %ld %.0f\n", ticks, missed, cpu_us() - cpu_before);
  return 0;
}
