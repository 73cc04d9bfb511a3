import { createDomains, createSpec, type MachineSpec } from '../../src/simulation/machine-spec.js';
import type { Config } from './config.js';

// Number of scans for which ended processes are kept, so that late scans find them.
const rememberedScans = 4;
const minRememberedMs = 10_000;

/** The configured machine. */
export function specOf(config: Config): MachineSpec {
  const { faults, sensor, seed, sockets, gpus, processes, spread } = config;
  const rememberedMs = Math.max(minRememberedMs, rememberedScans * config.collection_interval);
  return createSpec({
    seed,
    sockets,
    gpus,
    processes,
    spread,
    socketSpread: config.socket_spread,
    memorySpread: config.memory_spread,
    frequencySpread: config.frequency_spread,
    cpusPerSocket: config.cpus_per_socket,
    arrivalsPerSecond: config.arrivals,
    refreshUs: toUs(sensor.refresh_interval),
    jitter: sensor.jitter,
    rememberUs: toUs(rememberedMs),
    faultShares: { torn: faults.torn, failed: faults.failed, empty: faults.empty },
    faults: faults.schedule.map(({ kind, at, domain, cpu, ...rest }) => ({
      kind,
      atUs: toUs(at),
      forUs: toUs(rest.for),
      domain: domain ?? undefined,
      cpu: cpu ?? undefined,
    })),
  });
}

/** Validates settings that depend on each other. */
export function checkSpec(config: Config): readonly string[] {
  const spec = specOf(config);
  const { torn, failed, empty } = spec.faultShares;
  const sum = torn + failed + empty;
  const tooMuch = sum > 1 ? ['faults: expected torn, failed and empty to make up at most 1, found more'] : [];
  return [...tooMuch, ...findUnknownDomains(spec), ...findUnknownCpus(spec)];
}

function findUnknownDomains(spec: MachineSpec): readonly string[] {
  const names = createDomains(spec).map(({ name }) => name);
  return spec.faults.flatMap(({ domain }, i) =>
    domain === undefined || names.includes(domain)
      ? []
      : [`faults.schedule[${i}].domain: expected one of ${names.join(', ')}, found "${domain}"`],
  );
}

function findUnknownCpus({ sockets, cpusPerSocket, faults }: MachineSpec): readonly string[] {
  const last = sockets * cpusPerSocket - 1;
  return faults.flatMap(({ cpu = 0 }, i) =>
    cpu <= last ? [] : [`faults.schedule[${i}].cpu: expected 0 to ${last}, found ${cpu}`],
  );
}

function toUs(ms: number): number {
  return Math.round(ms * 1000);
}
