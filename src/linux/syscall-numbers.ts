/** The numbers of system calls without a function in the C library, on the little-endian architectures that Node runs on. */
const numbers = {
  bpf: { x64: 321, arm64: 280 },
  io_setup: { x64: 206, arm64: 0, riscv64: 0, loong64: 0 },
  io_destroy: { x64: 207, arm64: 1, riscv64: 1, loong64: 1 },
  io_submit: { x64: 209, arm64: 2, riscv64: 2, loong64: 2 },
  io_getevents: { x64: 208, arm64: 4, riscv64: 4, loong64: 4 },
  futex: { x64: 202, arm64: 98, riscv64: 98, loong64: 98, ppc64: 221 },
  perf_event_open: { x64: 298, ia32: 336, arm: 364, arm64: 241, riscv64: 241, loong64: 241, ppc64: 319 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>;

/** @returns undefined if unknown or not used */
export function findSyscallNumber(
  name: keyof typeof numbers,
  arch: string = process.arch,
): number | undefined {
  const byArch: Readonly<Record<string, number>> = numbers[name];
  return byArch[arch];
}
