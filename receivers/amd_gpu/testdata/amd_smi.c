// Stands in for libamd_smi with the ABI of the macro ABI: 24 (ROCm 6.1 to 6.3), 25 (6.4), 26 (7.0). What it answers is in the
// file STATE, which a test writes: one answer per line,
//   KEY STATUS NUMBER...
// where KEY is CARD.CALL, CARD.CALL.SELECTOR or CALL, and CARD the index of a card. A call without a line is not supported (2).
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t Status;
typedef void *Handle;

enum { SUCCESS = 0, INVAL = 1, NOT_SUPPORTED = 2, NOT_INIT = 32, MAX_NUMBERS = 8 };

static double numbers[MAX_NUMBERS];
static int isInitialized;

/** Finds the line of a key. @returns its status, -1: there is none; numbers are what follows */
static int64_t find(const char *key) {
  char line[512];
  int64_t status = -1;
  FILE *file = fopen(STATE, "r");
  if (!file) return -1;
  size_t length = strlen(key);
  while (status < 0 && fgets(line, sizeof line, file)) {
    if (strncmp(line, key, length) != 0 || line[length] != ' ') continue;
    char *rest;
    status = strtoll(line + length + 1, &rest, 10);
    memset(numbers, 0, sizeof numbers);
    for (int i = 0; i < MAX_NUMBERS; i++) numbers[i] = strtod(rest, &rest);
  }
  fclose(file);
  return status;
}

static Status answer(const char *key) {
  int64_t status = find(key);
  return status < 0 ? NOT_SUPPORTED : (Status)status;
}

/** The answer of a card to a call. */
static Status ask(Handle card, const char *call, int selector) {
  char key[96];
  int index = (int)(uintptr_t)card - 1;
  if (!isInitialized) return NOT_INIT;
  snprintf(key, sizeof key, "%d.lost", index);
  if (find(key) >= 0) return (Status)numbers[0];
  if (selector < 0) snprintf(key, sizeof key, "%d.%s", index, call);
  else snprintf(key, sizeof key, "%d.%s.%d", index, call, selector);
  return answer(key);
}

Status amdsmi_init(uint64_t flags) {
  if (flags != 2) return INVAL;
  int64_t status = find("init");
  isInitialized = status <= 0;
  return status < 0 ? SUCCESS : (Status)status;
}

Status amdsmi_shut_down(void) {
  isInitialized = 0;
  return SUCCESS;
}

#if ABI < 26
struct Version { uint32_t year, major, minor, release; const char *build; };
#else
struct Version { uint32_t major, minor, release; const char *build; };
#endif

Status amdsmi_get_lib_version(struct Version *version) {
  if (!isInitialized) return NOT_INIT;
  Status status = answer("version");
  uint32_t first = status == SUCCESS ? (uint32_t)numbers[0] : ABI;
#if ABI < 26
  *version = (struct Version){first, 7, 1, 0, "test"};
#else
  *version = (struct Version){first, 0, 2, "test"};
#endif
  return SUCCESS;
}

/** One socket per card. */
Status amdsmi_get_socket_handles(uint32_t *count, Handle *sockets) {
  if (answer("cards") != SUCCESS) return NOT_SUPPORTED;
  uint32_t found = (uint32_t)numbers[0];
  if (sockets) for (uint32_t i = 0; i < found && i < *count; i++) sockets[i] = (Handle)(uintptr_t)(i + 1);
  *count = found;
  return SUCCESS;
}

Status amdsmi_get_processor_handles(Handle socket, uint32_t *count, Handle *processors) {
  if (processors && *count > 0) *processors = socket;
  *count = 1;
  return SUCCESS;
}

union Bdf { struct { uint64_t function : 3, device : 5, bus : 8, domain : 48; }; uint64_t bits; };

Status amdsmi_get_gpu_device_bdf(Handle card, union Bdf *bdf) {
  Status status = ask(card, "bdf", -1);
  if (status == SUCCESS) {
    bdf->domain = (uint64_t)numbers[0], bdf->bus = (uint64_t)numbers[1];
    bdf->device = (uint64_t)numbers[2], bdf->function = (uint64_t)numbers[3];
  }
  return status;
}

Status amdsmi_get_energy_count(Handle card, uint64_t *count, float *resolution, uint64_t *timestamp) {
  Status status = ask(card, "energy", -1);
  if (status == SUCCESS) *count = (uint64_t)numbers[0], *resolution = (float)numbers[1], *timestamp = 1;
  return status;
}

#if ABI == 24
struct Power { uint32_t current, average, gfx, soc, mem, limit, reserved[11]; };
#elif ABI == 25
struct Power { uint64_t socket; uint32_t current, average, gfx, soc, mem, limit, reserved[2]; };
#else
struct Power { uint64_t socket; uint32_t current, average; uint64_t gfx, soc, mem; uint32_t limit; uint64_t reserved[18]; };
#endif

Status amdsmi_get_power_info(Handle card, struct Power *power) {
  Status status = ask(card, "power", -1);
  memset(power, 0xff, sizeof *power);
  if (status == SUCCESS) power->current = (uint32_t)numbers[0], power->average = (uint32_t)numbers[1];
  return status;
}

struct Usage { uint32_t gfx, umc, mm, reserved[13]; };

Status amdsmi_get_gpu_activity(Handle card, struct Usage *usage) {
  Status status = ask(card, "activity", -1);
  if (status == SUCCESS) *usage = (struct Usage){(uint32_t)numbers[0], (uint32_t)numbers[1], (uint32_t)numbers[2]};
  return status;
}

static Status askMemory(Handle card, const char *call, unsigned type, uint64_t *bytes) {
  Status status = ask(card, call, (int)type);
  if (status == SUCCESS) *bytes = (uint64_t)numbers[0];
  return status;
}

Status amdsmi_get_gpu_memory_total(Handle card, unsigned type, uint64_t *bytes) { return askMemory(card, "total", type, bytes); }
Status amdsmi_get_gpu_memory_usage(Handle card, unsigned type, uint64_t *bytes) { return askMemory(card, "usage", type, bytes); }

Status amdsmi_get_temp_metric(Handle card, unsigned type, unsigned metric, int64_t *degrees) {
  if (metric != 0) return INVAL;
  Status status = ask(card, "temperature", (int)type);
  if (status == SUCCESS) *degrees = (int64_t)numbers[0];
  return status;
}
