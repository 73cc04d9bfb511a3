/** The work of one engine of a GPU, or of all engines of a class, for a client. */
export interface DrmEngine {
  /** Busy time in nanoseconds; undefined if the driver counts cycles. */
  readonly ns: number | undefined;
  /** Busy cycles and all cycles of the GPU's clock, as counted by xe. */
  readonly cycles: { readonly busy: number; readonly total: number } | undefined;
  /** Number of engines. */
  readonly capacity: number;
}

/** A GPU driver's data about one client: an open file of `/dev/dri`. */
export interface DrmFdinfo {
  readonly driver: string;
  /** The PCI address, `0000:03:00.0`; undefined for GPUs that are not PCI devices. */
  readonly pciAddress: string | undefined;
  /** Unique per GPU, and the same for all descriptors of one open file. */
  readonly clientId: number | undefined;
  readonly engines: ReadonlyMap<string, DrmEngine>;
  /** Resident bytes by region: `vram`, `vram0`, `local0`, `system`, `gtt`. */
  readonly memory: ReadonlyMap<string, number>;
}

const multipliers: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/**
 * Parses a file of `/proc/PID/fdinfo` (Documentation/gpu/drm-usage-stats.rst). Malformed lines are ignored.
 * @returns undefined if it is not that of a GPU: without `drm-driver`, which amdgpu did not write before Linux
 * 5.19
 */
export function parseDrmFdinfo(text: string): DrmFdinfo | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (line.startsWith('drm-') && colon > 0) values.set(line.slice(4, colon), line.slice(colon + 1).trim());
  }
  const driver = values.get('driver');
  if (driver === undefined || driver === '') return undefined;
  const clientId = parseCount(values.get('client-id'));
  const pciAddress = values.get('pdev');
  return {
    driver,
    pciAddress: pciAddress === undefined || pciAddress === '' ? undefined : pciAddress.toLowerCase(),
    clientId,
    engines: parseEngines(values),
    memory: parseMemory(values),
  };
}

function parseEngines(values: ReadonlyMap<string, string>): Map<string, DrmEngine> {
  const engines = new Map<string, DrmEngine>();
  for (const [key, value] of values) {
    const [, kind, name = ''] = /^(engine|cycles)-(?!capacity-)(.+)$/u.exec(key) ?? [];
    if (kind === undefined || engines.has(name)) continue;
    const ns = parseNs(kind === 'engine' ? value : values.get(`engine-${name}`));
    const cycles = parseCycles(values.get(`cycles-${name}`), values.get(`total-cycles-${name}`));
    if (ns === undefined && cycles === undefined) continue;
    const capacity = parseCount(values.get(`engine-capacity-${name}`)) ?? 1;
    engines.set(name, { ns, cycles, capacity: Math.max(capacity, 1) });
  }
  return engines;
}

/** panfrost and msm count cycles of a variable clock, besides time: without total cycles they give no time. */
function parseCycles(busy: string | undefined, total: string | undefined): DrmEngine['cycles'] {
  const [busyCycles, totalCycles] = [parseCount(busy), parseCount(total)];
  if (busyCycles === undefined || totalCycles === undefined) return undefined;
  return { busy: busyCycles, total: totalCycles };
}

/**
 * `drm-resident-REGION` if the driver has it; otherwise `drm-memory-REGION`, in which amdgpu reports resident
 * memory, too, or `drm-total-REGION`.
 */
function parseMemory(values: ReadonlyMap<string, string>): Map<string, number> {
  const memory = new Map<string, number>();
  for (const kind of ['resident', 'memory', 'total']) {
    for (const [key, value] of values) {
      const region = key.slice(kind.length + 1);
      if (!key.startsWith(`${kind}-`) || region.startsWith('cycles-') || memory.has(region)) continue;
      const bytes = parseBytes(value);
      if (bytes !== undefined) memory.set(region, bytes);
    }
  }
  return memory;
}

function parseBytes(value: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,18})(?: ([KMG]iB))?$/u.exec(value) ?? [];
  return count === undefined ? undefined : Number(count) * (multipliers[unit] ?? 1);
}

function parseNs(value: string | undefined): number | undefined {
  return parseCount(value?.replace(/ ns$/u, ''));
}

function parseCount(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,20}$/u.test(value) ? Number(value) : undefined;
}
