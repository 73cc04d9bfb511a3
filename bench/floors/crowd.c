// Fills cgroups with sleeping processes, one in 50 of which wakes up ten times a second.
// Usage: crowd FOLDER PER_CGROUP SECONDS: each cgroup in the folder gets PER_CGROUP processes.
// Prints: processes.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void live(int number) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == 1) _exit(0);
  while (number % 50 == 0) usleep(100000);
  for (;;) pause();
}

static int fill(const char *folder, int count, int first) {
  char path[4096];
  snprintf(path, sizeof path, "%s/cgroup.procs", folder);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  for (int i = 0; fd >= 0 && i < count; i++) {
    pid_t pid = fork();
    if (pid == 0) live(first + i);
    char text[32];
    int length = snprintf(text, sizeof text, "%d", pid);
    if (pid < 0 || write(fd, text, length) != length) return -1;
  }
  return fd < 0 ? -1 : close(fd);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  // Ends all of them at once, and no other process.
  setpgid(0, 0);
  int per = atoi(argv[2]), count = 0;
  DIR *folder = opendir(argv[1]);
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    if (fill(path, per, count) != 0) return 1;
    count += per;
  }
  sleep(atoi(argv[3]));
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  while (wait(NULL) > 0);
  printf("%d\n", count);
  return 0;
}
