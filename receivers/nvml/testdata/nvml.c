// Stands in for libnvidia-ml. What it answers is in the file STATE, which a test writes: one answer per line,
//   KEY STATUS NUMBER... or KEY STATUS TEXT
// where KEY is DEVICE.CALL, DEVICE.CALL.SELECTOR or CALL, DEVICE the index of a GPU, of a MIG instance (100 and up) or *
// for those that have no line of their own. A call without a line is not supported (3). `delay.CALL 0 MICROSECONDS`
// lets a call block. Layouts are those of nvml.h of CUDA 13.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int Return;
typedef uintptr_t Device;

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, MAX_NUMBERS = 4096 };

static double numbers[MAX_NUMBERS];
static int count;
static char text[4096];

/** Finds the line of a key. @returns its status; numbers and text are what follows */
static int find(const char *key) {
  static char line[1 << 16];
  int status = -1;
  FILE *file = fopen(STATE, "r");
  if (!file) return -1;
  size_t length = strlen(key);
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, key, length) != 0 || line[length] != ' ') continue;
    char *rest;
    status = (int)strtol(line + length + 1, &rest, 10);
    while (*rest == ' ') rest++;
    snprintf(text, sizeof text, "%s", rest);
    text[strcspn(text, "\n")] = 0;
    for (count = 0; count < MAX_NUMBERS; count++) {
      char *end;
      numbers[count] = strtod(rest, &end);
      if (end == rest) break;
      rest = end;
    }
    break;
  }
  fclose(file);
  return status;
}

static void block(const char *call) {
  char key[128];
  snprintf(key, sizeof key, "delay.%s", call);
  if (find(key) == SUCCESS) usleep((useconds_t)numbers[0]);
}

/** The answer of a device to a call. */
static Return ask(Device device, const char *call, long selector) {
  char suffix[96], key[128];
  block(call);
  if (selector < 0) snprintf(suffix, sizeof suffix, "%s", call);
  else snprintf(suffix, sizeof suffix, "%s.%ld", call, selector);
  // A lost device answers every call with the same.
  snprintf(key, sizeof key, "%d.lost", (int)device - 1);
  if (find(key) >= 0) return (Return)numbers[0];
  snprintf(key, sizeof key, "%d.%s", (int)device - 1, suffix);
  int status = find(key);
  if (status >= 0) return status;
  snprintf(key, sizeof key, "*.%s", suffix);
  status = find(key);
  return status >= 0 ? status : NOT_SUPPORTED;
}

/** Numbers are read as doubles, of which the greatest stands for all bits set. */
static unsigned long long wide(double number) {
  return number >= 18446744073709551615.0 ? UINT64_MAX : (unsigned long long)number;
}

static Return askNumber(Device device, const char *call, long selector, unsigned int *value) {
  Return status = ask(device, call, selector);
  if (status == SUCCESS) *value = (unsigned int)(uint64_t)numbers[0];
  return status;
}

static Return askWide(Device device, const char *call, long selector, unsigned long long *value) {
  Return status = ask(device, call, selector);
  if (status == SUCCESS) *value = wide(numbers[0]);
  return status;
}

static Return askPair(Device device, const char *call, unsigned int *first, unsigned int *second) {
  Return status = ask(device, call, -1);
  if (status == SUCCESS) *first = (unsigned int)numbers[0], *second = (unsigned int)numbers[1];
  return status;
}

static Return askText(Device device, const char *call, char *into, unsigned int length) {
  Return status = ask(device, call, -1);
  if (status == SUCCESS) snprintf(into, length, "%s", text);
  return status;
}

Return nvmlInit_v2(void) {
  int status = find("Init");
  return status < 0 ? SUCCESS : status;
}

Return nvmlShutdown(void) { return SUCCESS; }

Return nvmlSystemGetDriverVersion(char *into, unsigned int length) {
  int status = find("DriverVersion");
  if (status == SUCCESS) snprintf(into, length, "%s", text);
  return status < 0 ? NOT_SUPPORTED : status;
}

Return nvmlDeviceGetCount_v2(unsigned int *value) {
  int status = find("Count");
  if (status == SUCCESS) *value = (unsigned int)numbers[0];
  return status < 0 ? NOT_SUPPORTED : status;
}

Return nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device *device) {
  char key[64];
  snprintf(key, sizeof key, "%u.Handle", index);
  int status = find(key);
  *device = index + 1;
  return status < 0 ? SUCCESS : status;
}

#define NUMBER(NAME) Return nvmlDeviceGet##NAME(Device device, unsigned int *value) { return askNumber(device, #NAME, -1, value); }
NUMBER(Index)
NUMBER(Architecture)
NUMBER(PowerUsage)
NUMBER(EnforcedPowerLimit)
NUMBER(PerformanceState)
NUMBER(NumFans)
NUMBER(FanSpeed)
NUMBER(PcieReplayCounter)
NUMBER(VirtualizationMode)
NUMBER(MaxMigDeviceCount)
NUMBER(GpuInstanceId)

#define SELECTED(NAME) Return nvmlDeviceGet##NAME(Device device, int which, unsigned int *value) { return askNumber(device, #NAME, which, value); }
SELECTED(ClockInfo)
SELECTED(Temperature)
SELECTED(TemperatureThreshold)
SELECTED(FanSpeed_v2)
SELECTED(PcieThroughput)
SELECTED(NvLinkState)

#define PAIR(NAME) Return nvmlDeviceGet##NAME(Device device, unsigned int *first, unsigned int *second) { return askPair(device, #NAME, first, second); }
PAIR(EncoderUtilization)
PAIR(DecoderUtilization)
PAIR(JpgUtilization)
PAIR(OfaUtilization)
PAIR(MigMode)
PAIR(CudaComputeCapability)
PAIR(PowerManagementLimitConstraints)

#define TEXT(NAME) Return nvmlDeviceGet##NAME(Device device, char *into, unsigned int length) { return askText(device, #NAME, into, length); }
TEXT(Name)
TEXT(UUID)
TEXT(Serial)
TEXT(VbiosVersion)

Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long *value) {
  return askWide(device, "TotalEnergyConsumption", -1, value);
}

Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long *value) {
  return askWide(device, "CurrentClocksEventReasons", -1, value);
}

Return nvmlDeviceGetTotalEccErrors(Device device, int type, int counter, unsigned long long *value) {
  return askWide(device, "TotalEccErrors", type * 10 + counter, value);
}

Return nvmlDeviceGetUtilizationRates(Device device, unsigned int *value) {
  return askPair(device, "UtilizationRates", value, value + 1);
}

struct Memory2 { unsigned int version; unsigned long long total, reserved, free, used; };

Return nvmlDeviceGetMemoryInfo_v2(Device device, struct Memory2 *memory) {
  if (memory->version != (sizeof *memory | 2 << 24)) return 25;
  Return status = ask(device, "MemoryInfo", -1);
  if (status != SUCCESS) return status;
  memory->total = wide(numbers[0]), memory->reserved = wide(numbers[1]), memory->used = wide(numbers[2]);
  memory->free = memory->total - memory->reserved - memory->used;
  return status;
}

struct Memory1 { unsigned long long total, free, used; };

Return nvmlDeviceGetMemoryInfo(Device device, struct Memory1 *memory) {
  Return status = ask(device, "MemoryInfo", -1);
  if (status != SUCCESS) return status;
  memory->total = wide(numbers[0]), memory->used = wide(numbers[1] + numbers[2]);
  memory->free = memory->total - memory->used;
  return status;
}

union Value { double d; int si; unsigned int ui; unsigned long long ull; };
struct Field { unsigned int id, scope; long long timestamp, latency; int type; Return status; union Value value; };

Return nvmlDeviceGetFieldValues(Device device, int fields, struct Field *values) {
  block("FieldValues");
  char key[64];
  snprintf(key, sizeof key, "%d.lost", (int)device - 1);
  if (find(key) >= 0) return (Return)numbers[0];
  for (int i = 0; i < fields; i++) {
    struct Field *field = values + i;
    // NVLink fields are asked for of all links together.
    int isLink = field->id == 138 || field->id == 139;
    field->status = isLink && field->scope != UINT32_MAX ? NOT_SUPPORTED : ask(device, "Field", field->id);
    if (field->status != SUCCESS) continue;
    field->type = count > 1 ? (int)numbers[1] : 1;
    if (field->type == 0) field->value.d = numbers[0];
    else if (field->type == 1) field->value.ui = (unsigned int)numbers[0];
    else field->value.ull = (unsigned long long)numbers[0];
  }
  return SUCCESS;
}

Return nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned int index, Device *instance) {
  Return status = ask(device, "MigDevice", index);
  if (status == SUCCESS) *instance = (Device)numbers[0] + 1;
  return status == NOT_SUPPORTED ? NOT_FOUND : status;
}

struct Attributes { unsigned int sms, copy, decoder, encoder, jpeg, ofa, gpuSlices, computeSlices; unsigned long long memory; };

Return nvmlDeviceGetAttributes_v2(Device device, struct Attributes *attributes) {
  Return status = askNumber(device, "Attributes", -1, &attributes->sms);
  if (status != SUCCESS || count < 3) return status;
  attributes->gpuSlices = (unsigned int)numbers[1], attributes->computeSlices = (unsigned int)numbers[2];
  return status;
}

struct Profile { unsigned int id, isP2p, slices, instances, sms, copy, decoder, encoder, jpeg, ofa; unsigned long long memory; };

Return nvmlDeviceGetGpuInstanceProfileInfo(Device device, unsigned int which, struct Profile *profile) {
  return askNumber(device, "Profile", which, &profile->sms);
}

struct Process { unsigned int pid; unsigned long long memory; unsigned int gpuInstance, computeInstance; };

static Return listProcesses(Device device, const char *call, unsigned int *size, struct Process *processes) {
  Return status = ask(device, call, -1);
  if (status != SUCCESS) return status;
  unsigned int found = (unsigned int)count / 2, room = *size;
  *size = found;
  if (found > room) return INSUFFICIENT_SIZE;
  for (unsigned int i = 0; i < found; i++) {
    double memory = numbers[2 * i + 1];
    processes[i] = (struct Process){(unsigned int)numbers[2 * i], memory < 0 ? UINT64_MAX : (unsigned long long)memory, UINT32_MAX, UINT32_MAX};
  }
  return SUCCESS;
}

Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned int *size, struct Process *processes) {
  return listProcesses(device, "ComputeRunningProcesses", size, processes);
}

Return nvmlDeviceGetGraphicsRunningProcesses_v3(Device device, unsigned int *size, struct Process *processes) {
  return listProcesses(device, "GraphicsRunningProcesses", size, processes);
}

Return nvmlDeviceGetMPSComputeRunningProcesses_v3(Device device, unsigned int *size, struct Process *processes) {
  return listProcesses(device, "MPSComputeRunningProcesses", size, processes);
}

struct Sample { unsigned int pid; unsigned long long timestamp; unsigned int sm, memory, encoder, decoder; };

// Entries of six numbers: pid, timestamp in microseconds, then percentages.
Return nvmlDeviceGetProcessUtilization(Device device, struct Sample *samples, unsigned int *size, unsigned long long since) {
  Return status = ask(device, "ProcessUtilization", -1);
  if (status != SUCCESS) return status;
  unsigned int found = 0, room = *size;
  for (int i = 0; i + 5 < count; i += 6) {
    if (numbers[i + 1] <= (double)since) continue;
    if (found < room) {
      samples[found] = (struct Sample){(unsigned int)numbers[i], (unsigned long long)numbers[i + 1], (unsigned int)numbers[i + 2],
                                       (unsigned int)numbers[i + 3], (unsigned int)numbers[i + 4], (unsigned int)numbers[i + 5]};
    }
    found++;
  }
  *size = found;
  if (found > room) return INSUFFICIENT_SIZE;
  return found == 0 ? NOT_FOUND : SUCCESS;
}

struct Support { unsigned int version, isSupported; };

Return nvmlGpmQueryDeviceSupport(Device device, struct Support *support) {
  return askNumber(device, "GpmSupport", -1, &support->isSupported);
}

/** A sample knows of which device it is; an instance is -1 for the whole GPU. */
struct Gpm { Device device; int instance; };

Return nvmlGpmSampleAlloc(struct Gpm **sample) {
  *sample = calloc(1, sizeof **sample);
  return SUCCESS;
}

Return nvmlGpmSampleFree(struct Gpm *sample) {
  free(sample);
  return SUCCESS;
}

Return nvmlGpmSampleGet(Device device, struct Gpm *sample) {
  *sample = (struct Gpm){device, -1};
  Return status = ask(device, "GpmSample", -1);
  return status == NOT_SUPPORTED ? SUCCESS : status;
}

Return nvmlGpmMigSampleGet(Device device, unsigned int instance, struct Gpm *sample) {
  *sample = (struct Gpm){device, (int)instance};
  return SUCCESS;
}

struct Metric { unsigned int id; Return status; double value; char *shortName, *longName, *unit; };
struct Metrics { unsigned int version, size; struct Gpm *first, *second; struct Metric metrics[]; };

Return nvmlGpmMetricsGet(struct Metrics *request) {
  if (request->version != 1) return 25;
  char call[64];
  for (unsigned int i = 0; i < request->size; i++) {
    struct Metric *metric = request->metrics + i;
    int instance = request->second->instance;
    if (instance < 0) snprintf(call, sizeof call, "Gpm");
    else snprintf(call, sizeof call, "Gpm.%d", instance);
    metric->status = ask(request->second->device, call, metric->id);
    if (metric->status == SUCCESS) metric->value = numbers[0];
  }
  return SUCCESS;
}
