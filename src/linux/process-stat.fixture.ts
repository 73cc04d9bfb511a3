/** The content of a fake `/proc/<pid>/stat`, besides the pid. */
export interface FakeStat {
  readonly comm?: string;
  readonly state?: string;
  readonly parentPid?: number;
  readonly flags?: number;
  readonly minorFaults?: number;
  readonly majorFaults?: number;
  readonly userTicks?: number;
  readonly systemTicks?: number;
  readonly threads?: number;
  readonly startTicks?: number;
  readonly virtualBytes?: number;
  readonly residentPages?: number;
}

/** Formats a line of `/proc/<pid>/stat` according to proc_pid_stat(5). */
export function describeStat(pid: number, process: FakeStat): string {
  const { state = 'S', parentPid = 1, flags = 0, minorFaults = 0, majorFaults = 0 } = process;
  const { userTicks = 0, systemTicks = 0, threads = 1, startTicks = 100 } = process;
  const { virtualBytes = 0, residentPages = 0 } = process;
  const fields = [
    `${state} ${parentPid} ${pid} ${pid} 0 -1 ${flags} ${minorFaults} 0 ${majorFaults} 0`,
    `${userTicks} ${systemTicks} 0 0 20 0 ${threads} 0 ${startTicks} ${virtualBytes} ${residentPages}`,
    '18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0',
  ];
  return `${pid} (${process.comm ?? 'program'}) ${fields.join(' ')}\n`;
}
