// Names of attributes that more than one file uses, each spelled once, and called as in OpenTelemetry's own package of
// constants. From the OpenTelemetry semantic conventions, except those of `energy`, `flux`, `ledger`, `oar`, `pbs`, `perf`,
// `rapl`, `slurm`, `systemd`, `vm` and `linux.cgroup.path`, which are ours. Names of metrics are with their metrics: shared-metrics.ts and the components' metrics.ts.

export const ATTR_CONTAINER_ID = 'container.id';
export const ATTR_CONTAINER_NAME = 'container.name';
export const ATTR_CONTAINER_RUNTIME_NAME = 'container.runtime.name';
export const ATTR_CPU_LOGICAL_NUMBER = 'cpu.logical_number';
export const ATTR_CPU_MODE = 'cpu.mode';
export const ATTR_DISK_IO_DIRECTION = 'disk.io.direction';
export const ATTR_ENERGY_ATTRIBUTION_MODEL = 'energy.attribution.model';
export const ATTR_ENERGY_INTERFACE = 'energy.interface';
export const ATTR_ENERGY_METHOD = 'energy.method';
export const ATTR_FLUX_JOB_ID = 'flux.job.id';
export const ATTR_HOST_ID = 'host.id';
export const ATTR_HOST_NAME = 'host.name';
export const ATTR_HW_GPU_TASK = 'hw.gpu.task';
export const ATTR_HW_ID = 'hw.id';
export const ATTR_HW_NAME = 'hw.name';
export const ATTR_HW_PARENT = 'hw.parent';
export const ATTR_HW_SENSOR_LOCATION = 'hw.sensor_location';
export const ATTR_HW_TYPE = 'hw.type';
export const ATTR_K8S_POD_UID = 'k8s.pod.uid';
export const ATTR_LEDGER_PART = 'ledger.part';
export const ATTR_LINUX_CGROUP_PATH = 'linux.cgroup.path';
export const ATTR_NETWORK_IO_DIRECTION = 'network.io.direction';
export const ATTR_OAR_JOB_ID = 'oar.job.id';
export const ATTR_PBS_JOB_ID = 'pbs.job.id';
export const ATTR_PERF_EVENT_NAME = 'perf.event.name';
export const ATTR_PROCESS_EXECUTABLE_NAME = 'process.executable.name';
export const ATTR_PROCESS_EXECUTABLE_PATH = 'process.executable.path';
export const ATTR_PROCESS_LINUX_CGROUP = 'process.linux.cgroup';
export const ATTR_PROCESS_OWNER = 'process.owner';
export const ATTR_PROCESS_PID = 'process.pid';
export const ATTR_PROCESS_STATE = 'process.state';
export const ATTR_PROCESS_THREAD_NAME = 'process.thread.name';
export const ATTR_RAPL_DOMAIN = 'rapl.domain';
export const ATTR_SERVICE_INSTANCE_ID = 'service.instance.id';
export const ATTR_SERVICE_NAME = 'service.name';
export const ATTR_SERVICE_NAMESPACE = 'service.namespace';
export const ATTR_SLURM_JOB_ID = 'slurm.job.id';
export const ATTR_SLURM_STEP_ID = 'slurm.step.id';
export const ATTR_SLURM_TASK_ID = 'slurm.task.id';
export const ATTR_SYSTEMD_SLICE = 'systemd.slice';
export const ATTR_SYSTEMD_UNIT = 'systemd.unit';
export const ATTR_SYSTEM_DEVICE = 'system.device';
export const ATTR_SYSTEM_PAGING_FAULT_TYPE = 'system.paging.fault.type';
export const ATTR_VM_NAME = 'vm.name';
