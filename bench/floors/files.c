// The minimum cost of sampling files: reads a number from the start of each file at absolute deadlines, stores instants
// and values, counts missed ticks. Arguments: HZ SECONDS FILE... Prints: ticks, missed ticks, CPU microseconds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "sampling.h"

static uint64_t read_number(int fd) {
  char text[32];
  ssize_t length = pread(fd, text, sizeof text, 0);
  uint64_t number = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) number = number * 10 + (text[i] - '0');
  return number;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int files = argc - 3;
  int *fds = calloc(files, sizeof *fds);
  for (int i = 0; i < files; i++) {
    fds[i] = open(argv[i + 3], O_RDONLY | O_CLOEXEC);
    if (fds[i] < 0) {
      perror(argv[i + 3]);
      return 1;
    }
  }
  int64_t period_ns = 1000000000LL / atoi(argv[1]);
  int64_t duration_ns = atof(argv[2]) * 1e9;
  int64_t room = duration_ns / period_ns + 2;
  int64_t *instants = calloc(room, sizeof *instants);
  uint64_t *values = calloc(room * files, sizeof *values);
  be_punctual(period_ns);
  double cpu_before = cpu_us();
  int64_t begin_ns = now_ns(), deadline_ns = begin_ns + period_ns;
  long ticks = 0, missed = 0;
  while (deadline_ns - begin_ns <= duration_ns) {
    struct timespec deadline = {deadline_ns / 1000000000, deadline_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
    int64_t at_ns = now_ns();
    for (int i = 0; i < files; i++) values[ticks * files + i] = read_number(fds[i]);
    instants[ticks] = at_ns;
    ticks++;
    int64_t passed = (now_ns() - deadline_ns) / period_ns;
    missed += passed;
    deadline_ns += (passed + 1) * period_ns;
  }
  printf("%ld %ld %.0f\n", ticks, missed, cpu_us() - cpu_before);
  return 0;
}
