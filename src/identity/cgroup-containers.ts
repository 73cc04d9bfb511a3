import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_VM_NAME,
} from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { unescapeUnit } from './unit-name.js';

/** Runtimes by the prefix of their container ids. */
const runtimes = new Map([
  ['buildkit', 'buildkit'],
  ['containerd', 'containerd'],
  ['cri-containerd', 'containerd'],
  ['crio', 'cri-o'],
  ['docker', 'docker'],
  ['kata', 'kata'],
  ['libpod', 'podman'],
  ['libpod-payload', 'podman'],
  ['nerdctl', 'containerd'],
]);

/** Runtimes by the name above a container id without a prefix. */
const runtimesByParent = new Map([
  ['buildkit', 'buildkit'],
  ['containerd', 'containerd'],
  ['default', 'containerd'],
  ['docker', 'docker'],
  ['kata_overhead', 'kata'],
  ['k8s.io', 'containerd'],
  ['libpod_parent', 'podman'],
]);

// docker-ID.scope, crio-ID, kata_ID, SLICE:cri-containerd:ID and ID alone.
const container = /^(?:[^:]+\.slice:([a-z-]+):|([a-z-]+)[-_])?([0-9a-f]{64})(?:\.scope)?$/;
const buildStep = /^(?:[^:]+\.slice:(?:docker|buildkit):|buildkit-)?([0-9a-z]{25})(?:\.scope)?$/;
const fargateContainer = /^[0-9a-f]{32}-\d{1,10}$/;
// Cloud Foundry shortens the last part of the UUID.
const gardenHandle = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4,12}$/;
const mesosContainer = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
// USER- precedes the driver where an unprivileged user runs the machine.
const libvirtMachine = /^(?:[^-]+-)?(qemu|lxc|xen|ch|bhyve)-(?:embed-[0-9a-f]+-)?(?:\d+-)?(.+)$/;

/** A container with an id. Other prefixes belong to auxiliary processes, such as `libpod-conmon`. */
export function findContainer(name: string, above: readonly string[]): Attributes | undefined {
  const parent = above.at(-1) ?? '';
  const [, afterSlice, prefix = afterSlice, id] = container.exec(name) ?? [];
  if (id !== undefined && (prefix === undefined || runtimes.has(prefix))) {
    return describeContainer(id, prefix === undefined ? runtimesByParent.get(parent) : runtimes.get(prefix));
  }
  const step = buildStep.exec(name)?.[1];
  if (step !== undefined && (step !== name || parent === 'docker' || parent === 'buildkit')) {
    return describeContainer(step, 'buildkit');
  }
  if (fargateContainer.test(name) && above.includes('ecs')) return describeContainer(name, undefined);
  if (parent === 'garden' && gardenHandle.test(name)) return describeContainer(name, 'garden');
  if (parent === 'mesos' && mesosContainer.test(name)) return describeContainer(name, 'mesos');
  return undefined;
}

function describeContainer(id: string, runtime: string | undefined): Attributes {
  return {
    [ATTR_CONTAINER_ID]: id,
    ...(runtime !== undefined && { [ATTR_CONTAINER_RUNTIME_NAME]: runtime }),
  };
}

/** A container that has only a name, which is unique on its machine and also used as its id. */
function describeNamed(name: string, runtime: string): Attributes {
  return { ...describeContainer(name, runtime), [ATTR_CONTAINER_NAME]: name };
}

/** LXC and nspawn. A folder `lxc` deep inside a service is not a container. */
export function findNamedContainer(name: string, above: readonly string[]): Attributes | undefined {
  const [, afterDot] = /^lxc\.payload[.-](.+)$/.exec(name) ?? [];
  if (afterDot !== undefined) return describeNamed(afterDot, 'lxc');
  const parent = above.at(-1);
  if (parent === 'lxc.payload' || (parent === 'lxc' && isTop(above.at(-2))))
    return describeNamed(name, 'lxc');
  const [, instance] = /^systemd-nspawn@(.+)\.service$/.exec(name) ?? [];
  return instance === undefined ? undefined : describeNamed(unescapeUnit(instance), 'systemd-nspawn');
}

/** Whether a name is the root of a system, a session or a container. */
function isTop(name: string | undefined): boolean {
  return (
    name === undefined ||
    name === 'ns' ||
    /\.(?:scope|session)$|^lxc\.payload\b/.test(name) ||
    container.test(name)
  );
}

/** Machines of systemd-machined and libvirt, virtual machines and containers, and those of Proxmox VE. */
export function findMachine(name: string, above: readonly string[]): Attributes | undefined {
  const [, scope] = /^machine-(.+)\.scope$/.exec(name) ?? [];
  if (scope !== undefined) return describeMachine(unescapeUnit(scope));
  const [, machine, driver] = /^(.+)\.libvirt-(qemu|lxc|xen|ch|bhyve)$/.exec(name) ?? [];
  if (machine !== undefined && driver !== undefined)
    return describeGuest(driver, libvirtMachine.exec(machine)?.[2] ?? machine);
  const [grandparent, parent] = [above.at(-2), above.at(-1)];
  const [, number] = parent === 'qemu.slice' ? (/^(\d+)\.scope$/.exec(name) ?? []) : [];
  if (number !== undefined) return describeGuest('qemu', number);
  return grandparent === 'libvirt' && (parent === 'qemu' || parent === 'lxc')
    ? describeGuest(parent, name)
    : undefined;
}

/** Machines of systemd-vmspawn have names of the same form, and are treated as containers. */
function describeMachine(machine: string): Attributes {
  const [, driver, guest] = libvirtMachine.exec(machine) ?? [];
  const isGuest = driver !== undefined && guest !== undefined;
  return isGuest ? describeGuest(driver, guest) : describeNamed(machine, 'systemd-nspawn');
}

function describeGuest(driver: string, name: string): Attributes {
  return driver === 'lxc' ? describeNamed(name, 'lxc') : { [ATTR_VM_NAME]: name };
}
