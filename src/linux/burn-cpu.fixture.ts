/** For tests: uses this much CPU time, however long that takes on a busy machine. */
export function burnCpuMs(ms: number): void {
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if (user + system >= ms * 1000) return;
  }
}
