/** What the thread that calls NVML is started with. */
export interface ThreadOptions {
  readonly library: string;
  readonly procfs: string;
  readonly hasProcesses: boolean;
  readonly hasProfiling: boolean;
  readonly hasPcieSampling: boolean;
}
