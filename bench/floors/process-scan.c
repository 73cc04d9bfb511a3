// The floor of the process receiver: lists all processes, reads the CPU clock of each, and the stat of each that
// has run since and of every 30th of the others, through descriptors that stay open, and parses the same fields.
// Usage: process-scan INTERVAL_US SCANS [all]: 0 scans back to back; `all` reads every stat every time.
// Prints: CPU microseconds per scan, wall microseconds per scan, processes.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MAX_PID 4194304

struct process {
  int fd;
  int seen;
  struct timespec cpu;
  long long numbers[21];
};

static struct process *processes[MAX_PID];
static int live[65536];
static long long sum;

static long long now_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void parse(struct process *process, const char *text, long length) {
  const char *at = memrchr(text, ')', length);
  if (at == NULL) return;
  at += 3;
  for (int i = 0; i < 21; i++) {
    char *end;
    process->numbers[i] = strtoll(at, &end, 10);
    at = end;
  }
}

static void read_stat(struct process *process) {
  char text[1024];
  long length = pread(process->fd, text, sizeof text - 1, 0);
  if (length <= 0) return;
  text[length] = 0;
  parse(process, text, length);
}

static struct process *open_process(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  struct process *process = calloc(1, sizeof *process);
  process->fd = fd;
  return processes[pid] = process;
}

static void read_process(int pid, int scan, int all) {
  struct process *process = processes[pid];
  if (process == NULL) process = open_process(pid);
  if (process == NULL) return;
  process->seen = scan;
  struct timespec cpu;
  if (clock_gettime((clockid_t)((~(unsigned)pid << 3) | 2), &cpu) != 0) return;
  int moved = cpu.tv_nsec != process->cpu.tv_nsec || cpu.tv_sec != process->cpu.tv_sec;
  process->cpu = cpu;
  if (moved || all || (scan + pid) % 30 == 0) read_stat(process);
  sum += cpu.tv_nsec + process->numbers[10] + process->numbers[20];
}

static void read_machine(int fd) {
  char text[16384];
  if (pread(fd, text, sizeof text, 0) > 0) sum += atoll(text + 5);
}

static int scan_all(int scan, int stat_fd, int all) {
  read_machine(stat_fd);
  DIR *folder = opendir("/proc");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    int pid = atoi(entry->d_name);
    read_process(pid, scan, all);
    if (count < 65536) live[count++] = pid;
  }
  closedir(folder);
  return count;
}

static void close_gone(int scan, const int *before, int count) {
  for (int i = 0; i < count; i++) {
    struct process *process = processes[before[i]];
    if (process == NULL || process->seen == scan) continue;
    close(process->fd);
    free(process);
    processes[before[i]] = NULL;
  }
}

int main(int argc, char **argv) {
  long interval_us = argc > 1 ? atol(argv[1]) : 1000000;
  int scans = argc > 2 ? atoi(argv[2]) : 10;
  int all = argc > 3 && strcmp(argv[3], "all") == 0;
  static int before[65536];
  int stat_fd = open("/proc/stat", O_RDONLY);
  int count = scan_all(1, stat_fd, 1);
  long long next = now_ns(CLOCK_MONOTONIC);
  long long cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID), wall = 0;
  for (int scan = 2; scan < scans + 2; scan++) {
    next += interval_us * 1000LL;
    struct timespec deadline = {next / 1000000000LL, next % 1000000000LL};
    if (interval_us > 0) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
    long long began = now_ns(CLOCK_MONOTONIC);
    int before_count = count;
    memcpy(before, live, sizeof(int) * count);
    count = scan_all(scan, stat_fd, all);
    close_gone(scan, before, before_count);
    wall += now_ns(CLOCK_MONOTONIC) - began;
  }
  cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("%.1f %.1f %d\n", cpu / 1e3 / scans, wall / 1e3 / scans, count);
  return sum == 42;
}
