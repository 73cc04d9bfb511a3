import type { BriefProcess } from '../../src/linux/bpf/accounted-process.js';

/** A process that started and ended between two scans. */
export function createBrief(name: string, changes: Partial<BriefProcess> = {}): BriefProcess {
  const bytes = Buffer.alloc(16);
  bytes.write(name, 0, 15);
  const words = new Uint32Array(new Uint8Array(bytes).buffer);
  const times = { cpuTimeNs: 1_000_000, packageNs: new Float64Array(0) };
  return { pid: 90, parentPid: 8, ...times, cgroupId: 0, cgroupV1Id: 7, userId: 0, ...changes, name: words };
}
