import { listContainers } from '../../src/component/domain-tree.js';
import type { Measured } from '../../src/component/energy-claim.js';
import { maxMicrowatts, type Channel, type Chip } from './channels.js';
import type { Config } from './config.js';

/** What a power or energy meter measures. */
export interface Domain {
  /** `hw.type`. */
  readonly type: string;
  readonly measured: Measured;
  /** The key by which its parts find it: `grace/0`. */
  readonly key?: string;
  /** Keys of its enclosing domains, nearest first: the first of them that is measured is its parent. */
  readonly within?: readonly string[];
  /** Its power is not energy used by the machine, or is that of a battery, which has a receiver of its own. */
  readonly isLeftOut?: boolean;
  /** Its value is not a power, although the kernel takes it for one. */
  readonly isNoPower?: boolean;
}

type Describe = (chip: Chip, match: RegExpExecArray, channel: Channel) => Domain | undefined;

/** Meters of certain drivers, by label. The first matching rule applies. */
interface DomainRule {
  readonly chip: RegExp;
  /** Matches the label, or '' if there is none. */
  readonly label: RegExp;
  readonly describe: Describe;
  readonly source: string;
}

const host: Domain = { type: 'host', measured: 'host', key: 'host' };
const unknown: Domain = { type: 'power_rail', measured: 'other', within: ['host'] };

function part(type: string, domain: string): Domain {
  return { type, measured: { domain }, key: domain, within: listContainers(domain) };
}

/** A part of a domain that is measured, too. */
function partOf(type: string, domain: string): Domain {
  return { type, measured: 'other', within: [domain, ...listContainers(domain)] };
}

/** The PCI address of a chip's device, which is the key of GPU claims. */
function pciOf({ id }: Chip): string | undefined {
  return /[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/gu.exec(id.split('/').at(-1) ?? '')?.[0];
}

const describeGpu: Describe = (chip) => {
  const address = pciOf(chip);
  return address === undefined ? undefined : part('gpu', `gpu/${address}`);
};

const describeGpuPart: Describe = (chip) => partOf('gpu', `gpu/${pciOf(chip) ?? ''}`);

/** A Grace socket comprises the cores, the fabric and the memory; a module also includes the GPU. */
const graceDomains: Readonly<Record<string, (socket: string) => Domain>> = {
  Module: (socket) => ({ ...part('module', `module/${socket}`), measured: 'other' }),
  Grace: (socket) => part('cpu', `cpu/${socket}`),
  CPU: (socket) => partOf('cpu', `cpu/${socket}`),
  SysIO: (socket) => partOf('cpu', `cpu/${socket}`),
};

/** What firmware that is newer than that of Grace measures of a socket. */
const socketDomains: Readonly<Record<string, (socket: string) => Domain>> = {
  total: (socket) => part('cpu', `cpu/${socket}`),
  'cpu rail': (socket) => partOf('cpu', `cpu/${socket}`),
  'soc rail': (socket) => partOf('cpu', `cpu/${socket}`),
  dram: (socket) => partOf('memory', `cpu/${socket}`),
};

/** Separate from the CPUs. */
function memoryOf(socket: number): Domain {
  return { ...part('memory', `memory/${socket}`), within: listContainers(`cpu/${socket}`) };
}

/**
 * A rail that supplies several units. Its energy is that of the board and is added up, but not as that of one of
 * its units, of which it shows too much.
 * @param domain the domain that it contains, or overlaps with no other
 */
function mixedRail(domain: string): Domain {
  return part('power_rail', domain);
}

/**
 * The rails of Jetson modules, by NVIDIA's names, and the hardware that they supply: GPU + SoC core with the video
 * engines, CPUs + accelerators for deep learning and vision (CV), CPUs + SoC core + memory subsystem (MSS). Where
 * the module has an input rail (VDD_IN, POM_5V_IN), rails of several units are parts of it that are not added up.
 */
const jetsonRails: Readonly<Record<string, Domain>> = {
  VDD_IN: host,
  POM_5V_IN: host,
  CPU: part('cpu', 'cpu/0'),
  VDD_CPU: part('cpu', 'cpu/0'),
  VDD_SYS_CPU: part('cpu', 'cpu/0'),
  POM_5V_CPU: part('cpu', 'cpu/0'),
  // Any other receiver of a GPU on such a board measures the same GPU.
  GPU: part('gpu', 'gpu'),
  VDD_GPU: part('gpu', 'gpu'),
  VDD_SYS_GPU: part('gpu', 'gpu'),
  POM_5V_GPU: part('gpu', 'gpu'),
  VDDRQ: memoryOf(0),
  VDD_SYS_DDR: memoryOf(0),
  // AGX Orin, whose module is the sum of three rails, and Thor.
  VDD_CPU_CV: mixedRail('cpu/0'),
  VDD_CPU_SOC_MSS: mixedRail('cpu/0'),
  VDD_GPU_SOC: mixedRail('gpu'),
  VIN_SYS_5V0: mixedRail('power_rail/VIN_SYS_5V0'),
  // Memory and the part of AGX Orin that is always on: supplied by VIN_SYS_5V0.
  VDDQ_VDD2_1V8AO: partOf('power_rail', 'power_rail/VIN_SYS_5V0'),
  // AGX Xavier, whose module is the sum of its six rails.
  SOC: mixedRail('power_rail/SOC'),
  CV: mixedRail('power_rail/CV'),
  SYS5V: mixedRail('power_rail/SYS5V'),
};

export const domainRules: readonly DomainRule[] = [
  {
    chip: /^power_meter$/u,
    label: /^(Module|Grace|CPU|SysIO) Power Socket (\d+)$/u,
    describe: (_, [, what = '', socket = '']) => graceDomains[what]?.(socket),
    source:
      'NVIDIA Grace Performance Tuning Guide, Power Telemetry; NVIDIA/edk2-nvidia, BpmpSsdtSocket0_th500.asl',
  },
  {
    chip: /^power_meter$/u,
    label: /^(Total|CPU Rail|SoC Rail|DRAM)(?: Input| Output)? Power(?: in uW)? socket (\d+)$/iu,
    describe: (_, [, what = '', socket = '']) => socketDomains[what.toLowerCase()]?.(socket),
    source: 'NVIDIA/srt-slurm, src/srtctl/core/power/cpu_rails.py',
  },
  {
    chip: /^power_meter$/u,
    // "Total CPU Energy In uJ socket 0", "Chipthrot DDR Throttle (samples x1000) socket 0"
    label: /energy|throttle/iu,
    describe: () => ({ type: 'other', measured: 'other', isLeftOut: true, isNoPower: true }),
    source: 'NVIDIA/srt-slurm, src/srtctl/core/power/cpu_rails.py',
  },
  {
    chip: /^power_meter$/u,
    label: /(?:)/u,
    // \_SB is the bus of all devices, that is, the host.
    describe: ({ measures }) => (measures.includes('LNXSYBUS:00') ? host : undefined),
    source: 'ACPI 6.5, 10.4.8 _PMD; drivers/hwmon/acpi_power_meter.c, read_domain_devices',
  },
  {
    chip: /^ina3221$/u,
    label: /(.+)/u,
    describe: (_, [, rail = '']) => jetsonRails[rail],
    source:
      'NVIDIA Jetson Linux Developer Guide, Software-Based Power Consumption Modeling; energymon, jetson/JetsonPowerRails.md',
  },
  {
    chip: /^amd_energy$/u,
    label: /^Esocket(\d+)$/u,
    describe: (_, [, socket = '']) => part('cpu', `cpu/${socket}`),
    source: 'Documentation/hwmon/amd_energy.rst',
  },
  {
    chip: /^amd_energy$/u,
    label: /^Ecore\d+$/u,
    describe: () => ({ type: 'cpu', measured: 'other', within: ['host'] }),
    source: 'Documentation/hwmon/amd_energy.rst',
  },
  {
    chip: /^i915_gt\d+$/u,
    label: /(?:)/u,
    describe: describeGpuPart,
    source: 'sysfs-driver-intel-i915-hwmon',
  },
  { chip: /^i915$/u, label: /(?:)/u, describe: describeGpu, source: 'sysfs-driver-intel-i915-hwmon' },
  {
    chip: /^xe$/u,
    label: /(?:)/u,
    // The first is the card, the second its package.
    describe: (chip, match, channel) =>
      (channel.index === 1 ? describeGpu : describeGpuPart)(chip, match, channel),
    source: 'sysfs-driver-intel-xe-hwmon',
  },
  {
    chip: /^amdgpu$/u,
    label: /(?:)/u,
    // Integrated GPUs are recognized by the voltage of the north bridge; their power is that of the whole
    // socket.
    describe: (chip, match, channel) =>
      chip.channels.some(({ label }) => label === 'vddnb')
        ? partOf('gpu', 'cpu/0')
        : describeGpu(chip, match, channel),
    source: 'drivers/gpu/drm/amd/pm/amdgpu_pm.c, hwmon_attributes_visible',
  },
  {
    chip: /^nouveau$/u,
    label: /(?:)/u,
    describe: describeGpu,
    source: 'drivers/gpu/drm/nouveau/nouveau_hwmon.c',
  },
  {
    chip: /^sfp/u,
    label: /(?:)/u,
    describe: () => ({ type: 'network', measured: 'other', isLeftOut: true }),
    source: 'drivers/net/phy/sfp.c: the power of light',
  },
];

/** A meter of a chip. */
interface Meter {
  readonly chip: Chip;
  readonly channel: Channel;
  readonly label: string | undefined;
  /** Its `hw.id`. */
  readonly id: string;
}

/** What a meter measures: as it is configured, otherwise what is known of it. */
export function findDomain(
  { chip, channel, label, id }: Meter,
  { host_meter: hostMeter, domains }: Pick<Config, 'host_meter' | 'domains'>,
): Domain {
  if (id === hostMeter) return host;
  const configured = domains.find(({ sensor }) => sensor === id);
  if (configured) return createDomain(configured);
  const known = describeDomain(chip, channel, label);
  // A configured host meter is the only one.
  if (known.measured !== 'host' || hostMeter === null) return known;
  return { type: known.type, measured: 'other', within: ['host'] };
}

function createDomain({ hw_type: type, number }: Config['domains'][number]): Domain {
  if (type === 'memory') return memoryOf(number);
  return type === 'cpu' ? part('cpu', `cpu/${number}`) : part('gpu', 'gpu');
}

/** What a chip's meter measures. */
export function describeDomain(chip: Chip, channel: Channel, label: string | undefined): Domain {
  if (/\/power_supply\//u.test(`${chip.id}/`)) return { type: 'battery', measured: 'other', isLeftOut: true };
  for (const rule of domainRules) {
    const match = rule.chip.test(chip.name) ? rule.label.exec(label ?? '') : null;
    const domain = match && rule.describe(chip, match, channel);
    if (domain) return domain;
  }
  return unknown;
}

/** More than any domain of a type can draw. */
export function findMaxWatts({ type }: Domain): number {
  return type === 'cpu' || type === 'memory' ? 2_000 : type === 'gpu' ? 5_000 : maxMicrowatts / 1e6;
}
