// A machine for agents to measure: sleeping processes, short-lived processes, and a bystander that uses a constant
// share of one CPU; and, in a file, the energy counter of a machine that uses 10 J for each second of CPU time and
// no other energy, so that the energy of each process is known.
// Usage: moving-tree SLEEPERS BIRTHS_PER_SECOND CPU_US_OF_EACH [ENERGY_FILE]
// Prints: the pid of the bystander. Ends when its standard input is closed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define JOULES_PER_CPU_SECOND 10

static long long now_us(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void burn(long long us) {
  long long until = now_us(CLOCK_PROCESS_CPUTIME_ID) + us;
  while (now_us(CLOCK_PROCESS_CPUTIME_ID) < until);
}

static pid_t start(const char *name) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, name);
  return 0;
}

// 5 ms of every 50 ms.
static void stand_by(void) {
  for (;;) {
    burn(5000);
    usleep(45000);
  }
}

// The idle, I/O wait and steal time of all CPUs, which is exact where idle CPUs have no ticks.
static long long read_unused_us(int stat_fd) {
  char text[512];
  long length = pread(stat_fd, text, sizeof text - 1, 0);
  long long user, nice, system, idle, iowait, irq, softirq, steal;
  text[length < 0 ? 0 : length] = 0;
  if (sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle, &iowait,
             &irq, &softirq, &steal) != 8)
    return -1;
  return (idle + iowait + steal) * (1000000 / sysconf(_SC_CLK_TCK));
}

// Writes texts of constant length in place, since readers keep descriptors open.
static void count_energy(const char *path) {
  int file = open(path, O_WRONLY | O_CLOEXEC), stat_fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  long long began = now_us(CLOCK_MONOTONIC), unused = read_unused_us(stat_fd), most = 0;
  for (;;) {
    long long busy = (now_us(CLOCK_MONOTONIC) - began) * cpus - (read_unused_us(stat_fd) - unused);
    if (busy > most) most = busy;
    char text[32];
    int length = snprintf(text, sizeof text, "%018lld\n", 1000000 + most * JOULES_PER_CPU_SECOND);
    if (pwrite(file, text, length, 0) < 0) return;
    usleep(10000);
  }
}

static int is_over(int timeout_ms) {
  struct pollfd input = {0, POLLIN, 0};
  char byte;
  return poll(&input, 1, timeout_ms) > 0 && read(0, &byte, 1) <= 0;
}

int main(int argc, char **argv) {
  if (argc < 4) return 1;
  int sleepers = atoi(argv[1]), births = atoi(argv[2]);
  long long each_us = atoll(argv[3]);
  signal(SIGCHLD, SIG_IGN);
  for (int i = 0; i < sleepers; i++)
    if (start("sleeper") == 0)
      for (;;) pause();
  if (argc > 4 && start("meter") == 0) count_energy(argv[4]);
  pid_t bystander = start("bystander");
  if (bystander == 0) stand_by();
  printf("%d\n", bystander);
  fflush(stdout);
  long long next = now_us(CLOCK_MONOTONIC);
  for (;;) {
    long long wait_us = next - now_us(CLOCK_MONOTONIC);
    if (is_over(births == 0 ? 1000 : wait_us > 0 ? wait_us / 1000 : 0)) return 0;
    if (births == 0 || now_us(CLOCK_MONOTONIC) < next) continue;
    next += 1000000 / births;
    if (start("short") != 0) continue;
    burn(each_us);
    _exit(0);
  }
}
