/** Waits until all are fulfilled, but not longer than a limit: a device that does not answer does not block others. */
export async function waitBriefly(readings: readonly Promise<unknown>[], limitMs: number): Promise<void> {
  if (readings.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([Promise.all(readings), limit]);
  clearTimeout(timer);
}
