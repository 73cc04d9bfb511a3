/** Options of the thread that calls NVML. */
export interface ThreadOptions {
  readonly library: string;
  readonly procfs: string;
  readonly hasProcesses: boolean;
  readonly hasProfiling: boolean;
  readonly hasPcieSampling: boolean;
}
