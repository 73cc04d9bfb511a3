// Starts processes one after the other, each of which runs this program again, uses CPU time and ends.
// Usage: short-processes COUNT CPU_US CGROUP_FOLDER: it joins the cgroup and starts the processes in it.
// Prints: CPU microseconds of the processes according to rusage, its own CPU microseconds, wall microseconds.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static long long used_us(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

static int enter(const char *folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/cgroup.procs", folder);
  FILE *file = fopen(path, "w");
  if (file == NULL) return -1;
  fprintf(file, "%d", getpid());
  return fclose(file);
}

int main(int argc, char **argv) {
  if (argc == 2) {
    long long until = atoll(argv[1]);
    while (now_us(CLOCK_PROCESS_CPUTIME_ID) < until);
    return 0;
  }
  if (argc != 4 || enter(argv[3]) != 0) return 1;
  char *child[] = {argv[0], argv[2], NULL};
  char *environment[] = {NULL};
  long long self = used_us(RUSAGE_SELF), start = now_us(CLOCK_MONOTONIC);
  for (int i = atoi(argv[1]); i > 0; i--) {
    pid_t pid;
    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, child, environment) != 0) return 1;
    waitpid(pid, NULL, 0);
  }
  printf("%lld %lld %lld\n", used_us(RUSAGE_CHILDREN), used_us(RUSAGE_SELF) - self,
         now_us(CLOCK_MONOTONIC) - start);
  return 0;
}
