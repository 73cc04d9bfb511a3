import { test } from 'node:test';
import { checkPaths, id, inner, uid, type Row } from './cgroup-path.fixture.js';

const docker = { container: id, runtime: 'docker' };
const podman = { container: id, runtime: 'podman' };
const containerd = { container: id, runtime: 'containerd' };
const ofUser = '/user.slice/user-1000.slice/user@1000.service';
const step = 'jvifp9a6b1lxa1kuw8bwfcovf';

const containers: readonly Row[] = [
  [`/docker/${id}`, docker],
  [`12:memory:/docker/${id}`, docker],
  [`/system.slice/docker-${id}.scope`, { ...docker, unit: `docker-${id}.scope`, slice: 'system.slice' }],
  [
    `${ofUser}/user.slice/docker-${id}.scope`,
    { ...docker, unit: `docker-${id}.scope`, slice: 'user.slice', owner: '1000' },
  ],
  [`/docker/${inner}/docker/${id}`, docker],
  [`/docker/${id}/init`, docker],
  [
    `/docker/${id}/system.slice/containerd.service`,
    { ...docker, unit: 'containerd.service', slice: 'system.slice' },
  ],
  [`/../${id}`, { container: id }],
  [
    `/../../system.slice/docker-${id}.scope`,
    { ...docker, unit: `docker-${id}.scope`, slice: 'system.slice' },
  ],
  [`/actions_job/${id}`, { container: id }],
  [`10:net_prio:/${id}`, { container: id }],
  [`/ecs/5a0d5ceddf6c44c1928d367a815d890f/${id}`, { container: id }],
  [`/ecs/test-ecs-classic/5a0d5ceddf6c44c1928d367a815d890f/${id}`, { container: id }],
  [
    '/ecs/34dc0b5e626f2c5c4c5170e34b10e765-1234567890',
    { container: '34dc0b5e626f2c5c4c5170e34b10e765-1234567890' },
  ],
  [
    `/ecstasks.slice/ecstasks-529630467358463ab6bbba4e73afe704.slice/docker-${id}.scope`,
    { ...docker, unit: `docker-${id}.scope`, slice: 'ecstasks-529630467358463ab6bbba4e73afe704.slice' },
  ],
  [`/nomad.slice/docker-${id}.scope`, { ...docker, unit: `docker-${id}.scope`, slice: 'nomad.slice' }],
  [
    '/nomad.slice/share.slice/4744f0ea-7616-ab3a-a420-8e25056e3861.sleep.scope',
    { unit: '4744f0ea-7616-ab3a-a420-8e25056e3861.sleep.scope', slice: 'share.slice' },
  ],
  [
    `/system.slice/system.slice:docker:${step}`,
    { container: step, runtime: 'buildkit', slice: 'system.slice' },
  ],
  [`/docker/buildkit/${step}`, { container: step, runtime: 'buildkit' }],
  [`/libpod_parent/libpod-${id}`, podman],
  [`/libpod_parent/libpod-${id}/supervisor`, podman],
  [`/machine.slice/libpod-${id}.scope`, { ...podman, unit: `libpod-${id}.scope`, slice: 'machine.slice' }],
  [
    `/machine.slice/libpod-${id}.scope/container`,
    { ...podman, unit: `libpod-${id}.scope`, slice: 'machine.slice' },
  ],
  [
    `/machine.slice/machine-libpod_pod_${inner}.slice/libpod-${id}.scope`,
    { ...podman, unit: `libpod-${id}.scope`, slice: `machine-libpod_pod_${inner}.slice` },
  ],
  [
    `${ofUser}/user.slice/libpod-${id}.scope/container`,
    { ...podman, unit: `libpod-${id}.scope`, slice: 'user.slice', owner: '1000' },
  ],
  [
    `${ofUser}/user.slice/user-libpod_pod_${inner}.slice/libpod-${id}.scope`,
    { ...podman, unit: `libpod-${id}.scope`, slice: `user-libpod_pod_${inner}.slice`, owner: '1000' },
  ],
  [
    `/system.slice/web.service/libpod-payload-${id}`,
    { ...podman, unit: 'web.service', slice: 'system.slice' },
  ],
  [
    `${ofUser}/app.slice/web.service/libpod-payload-${id}`,
    { ...podman, unit: 'web.service', slice: 'app.slice', owner: '1000' },
  ],
  [
    `/machine.slice/libpod-${inner}.scope/container/kubelet/kubepods/besteffort/pod${uid}/${id}`,
    { container: id, pod: uid, unit: `libpod-${inner}.scope`, slice: 'machine.slice' },
  ],
  [`/machine.slice/libpod-conmon-${id}.scope`, { unit: `libpod-conmon-${id}.scope`, slice: 'machine.slice' }],
  [
    `${ofUser}/user.slice/podman-4242.scope`,
    { unit: 'podman-4242.scope', slice: 'user.slice', owner: '1000' },
  ],
  [
    `/system.slice/nerdctl-${id}.scope`,
    { ...containerd, unit: `nerdctl-${id}.scope`, slice: 'system.slice' },
  ],
  [
    `${ofUser}/user.slice/nerdctl-${id}.scope`,
    { ...containerd, unit: `nerdctl-${id}.scope`, slice: 'user.slice', owner: '1000' },
  ],
  [`/containerd-${id}`, containerd],
  [`/containerd/${id}`, containerd],
  [`/default/${id}`, containerd],
  [`/k8s.io/${id}`, containerd],
  [
    '/system.slice/garden.service/garden/6f265890-5165-7fab-6b52-18d1',
    {
      container: '6f265890-5165-7fab-6b52-18d1',
      runtime: 'garden',
      unit: 'garden.service',
      slice: 'system.slice',
    },
  ],
  [
    '/mesos/168b386b-893f-478e-bbf1-209482231b88',
    { container: '168b386b-893f-478e-bbf1-209482231b88', runtime: 'mesos' },
  ],
  [
    `/mesos/3b1cf944-1d97-40a6-ac73-b156ac2f2bfe/mesos/077d75a1-d7b6-4e55-8114-13f925fe4f49/kubepods/besteffort/pod${uid}/${inner}`,
    { container: inner, pod: uid },
  ],
];

const machines: readonly Row[] = [
  ['/lxc.payload.web', { container: 'web', name: 'web', runtime: 'lxc' }],
  ['/lxc.payload/web', { container: 'web', name: 'web', runtime: 'lxc' }],
  [
    '/lxc.payload.web/system.slice/nginx.service',
    { container: 'web', name: 'web', runtime: 'lxc', unit: 'nginx.service', slice: 'system.slice' },
  ],
  ['/lxc/web', { container: 'web', name: 'web', runtime: 'lxc' }],
  [
    '/lxc/101/ns/system.slice/cron.service',
    { container: '101', name: '101', runtime: 'lxc', unit: 'cron.service', slice: 'system.slice' },
  ],
  [`/lxc/101/ns/kubepods/besteffort/pod${uid}/${id}`, { container: id, pod: uid }],
  ['/lxc/101/ns/lxc/inside', { container: 'inside', name: 'inside', runtime: 'lxc' }],
  ['/lxc.payload.u1_test', { container: 'u1_test', name: 'u1_test', runtime: 'lxc' }],
  ['/lxc.payload.host/lxc.payload.inside', { container: 'inside', name: 'inside', runtime: 'lxc' }],
  ['/lxc.monitor.web', {}],
  ['/lxc.monitor/web', {}],
  [
    `/lxc.payload.host/system.slice/docker-${id}.scope`,
    { ...docker, unit: `docker-${id}.scope`, slice: 'system.slice' },
  ],
  [
    '/machine.slice/machine-my\\x2dbox.scope/payload',
    {
      container: 'my-box',
      name: 'my-box',
      runtime: 'systemd-nspawn',
      unit: 'machine-my\\x2dbox.scope',
      slice: 'machine.slice',
    },
  ],
  [
    '/machine.slice/systemd-nspawn@deb\\x2d12.service/payload/init.scope',
    {
      container: 'deb-12',
      name: 'deb-12',
      runtime: 'systemd-nspawn',
      unit: 'init.scope',
      slice: 'machine.slice',
    },
  ],
  [
    '/machine.slice/machine-qemu\\x2d6\\x2dvm1.scope/libvirt/vcpu0',
    { vm: 'vm1', unit: 'machine-qemu\\x2d6\\x2dvm1.scope', slice: 'machine.slice' },
  ],
  [
    '/machine.slice/machine-qemu\\x2d1\\x2dinstance\\x2d0000001d.scope/emulator',
    {
      vm: 'instance-0000001d',
      unit: 'machine-qemu\\x2d1\\x2dinstance\\x2d0000001d.scope',
      slice: 'machine.slice',
    },
  ],
  [
    '/machine.slice/machine-qemu\\x2dlegacy.scope',
    { vm: 'legacy', unit: 'machine-qemu\\x2dlegacy.scope', slice: 'machine.slice' },
  ],
  [
    `${ofUser}/machine.slice/machine-ann\\x2dqemu\\x2d2\\x2dfedora.scope`,
    {
      vm: 'fedora',
      unit: 'machine-ann\\x2dqemu\\x2d2\\x2dfedora.scope',
      slice: 'machine.slice',
      owner: '1000',
    },
  ],
  [
    '/machine.slice/machine-lxc\\x2d7\\x2dbox.scope',
    {
      container: 'box',
      name: 'box',
      runtime: 'lxc',
      unit: 'machine-lxc\\x2d7\\x2dbox.scope',
      slice: 'machine.slice',
    },
  ],
  [
    '/machine.slice/machine-xen\\x2d3\\x2dguest.scope',
    { vm: 'guest', unit: 'machine-xen\\x2d3\\x2dguest.scope', slice: 'machine.slice' },
  ],
  ['/qemu.slice/101.scope', { vm: '101', unit: '101.scope', slice: 'qemu.slice' }],
  ['/qemu.slice/agent.scope', { unit: 'agent.scope', slice: 'qemu.slice' }],
  ['/machine/instance-000065d7.libvirt-qemu/emulator', { vm: 'instance-000065d7' }],
  ['/machine/qemu-5-test.libvirt-qemu/vcpu1', { vm: 'test' }],
  ['/machine/prod.partition/guest7.libvirt-qemu/vcpu1', { vm: 'guest7' }],
  ['/libvirt/qemu/guest/vcpu0', { vm: 'guest' }],
];

test('parseCgroupPath finds containers of every runtime, nested ones by the innermost', () =>
  checkPaths(containers));

test('parseCgroupPath finds LXC and nspawn containers by name, and the virtual machines of libvirt', () =>
  checkPaths(machines));
