// Stands in for /dev/ipmi0 when it is loaded before the C library: takes the ioctls of linux/ipmi.h, and passes their
// messages on to ipmi_sim by the protocol that it has for virtual machines. IPMI_SIM_PORT is where that listens. With
// IPMI_SIM_NO_EVENTS, no event precedes a response.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipmi.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { message_end = 0xa0, command_end = 0xa1, escape = 0xaa };

static const char device[] = "/dev/ipmi0";
static int device_fd = -1;
static long last_id;
static int events;

static int open_device(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("IPMI_SIM_PORT")))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // ipmi_sim has one connection at a time, and takes the next one when it has noticed that the last one ended.
  for (int attempts = 0; attempts < 500; attempts++, usleep(10000)) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return device_fd = fd;
    close(fd);
  }
  return -1;
}

static int open_path(const char *path, int flags, int mode) {
  static int (*next)(const char *, int, ...);
  if (next == NULL) next = dlsym(RTLD_NEXT, "open64");
  if (strcmp(path, device) == 0) return (flags & O_ACCMODE) == O_RDWR ? open_device() : (errno = EINVAL, -1);
  return next(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  return open_path(path, flags, mode);
}

// Of programs that are built without large files, such as ipmitool.
int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  return open_path(path, flags, mode);
}

int access(const char *path, int mode) {
  static int (*next)(const char *, int);
  if (next == NULL) next = dlsym(RTLD_NEXT, "access");
  return strcmp(path, device) == 0 ? 0 : next(path, mode);
}

static size_t put(unsigned char *out, size_t at, unsigned char byte) {
  if (byte == message_end || byte == command_end || byte == escape) {
    out[at++] = escape;
    byte |= 0x10;
  }
  out[at++] = byte;
  return at;
}

static int send_message(const struct ipmi_req *request) {
  const struct ipmi_system_interface_addr *to = (void *)request->addr;
  if (request->addr_len < sizeof *to || to->addr_type != IPMI_SYSTEM_INTERFACE_ADDR_TYPE || to->channel != IPMI_BMC_CHANNEL)
    return errno = EINVAL, -1;
  unsigned char raw[IPMI_MAX_MSG_LENGTH + 3], out[2 * sizeof raw + 3], sum = 0;
  raw[0] = 1;
  raw[1] = request->msg.netfn << 2 | to->lun;
  raw[2] = request->msg.cmd;
  memcpy(raw + 3, request->msg.data, request->msg.data_len);
  size_t length = 3 + request->msg.data_len, at = 0;
  for (size_t i = 0; i < length; i++) {
    sum += raw[i];
    at = put(out, at, raw[i]);
  }
  at = put(out, at, -sum);
  out[at++] = message_end;
  last_id = request->msgid;
  // As from another program, an event comes first.
  events = getenv("IPMI_SIM_NO_EVENTS") == NULL;
  return write(device_fd, out, at) == (ssize_t)at ? 0 : -1;
}

// The length of the next message; 0 where a command to the virtual machine came.
static size_t read_message(unsigned char *into, size_t size) {
  size_t length = 0;
  for (unsigned char byte, escaped = 0; read(device_fd, &byte, 1) == 1;) {
    if (byte == message_end) return length;
    if (byte == command_end) return 0;
    if (byte == escape) escaped = 0x10;
    else if (length < size) into[length++] = byte & ~escaped, escaped = 0;
  }
  return 0;
}

static int receive_message(struct ipmi_recv *received) {
  unsigned char raw[IPMI_MAX_MSG_LENGTH + 8];
  if (events > 0) {
    events -= 1;
    received->recv_type = IPMI_ASYNC_EVENT_RECV_TYPE;
    received->msgid = last_id;
    received->msg.data_len = 0;
    return 0;
  }
  size_t length = read_message(raw, sizeof raw);
  if (length < 5) return errno = EAGAIN, -1;
  size_t bytes = length - 4, room = received->msg.data_len;
  received->recv_type = IPMI_RESPONSE_RECV_TYPE;
  received->msgid = last_id;
  received->msg.netfn = raw[1] >> 2;
  received->msg.cmd = raw[2];
  received->msg.data_len = bytes < room ? bytes : room;
  memcpy(received->msg.data, raw + 3, received->msg.data_len);
  return bytes > room ? errno = EMSGSIZE, -1 : 0;
}

int ioctl(int fd, unsigned long request, ...) {
  static int (*next)(int, unsigned long, void *);
  if (next == NULL) next = dlsym(RTLD_NEXT, "ioctl");
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (fd != device_fd || device_fd < 0) return next(fd, request, argument);
  if (request == IPMICTL_SEND_COMMAND) return send_message(argument);
  if (request == IPMICTL_RECEIVE_MSG_TRUNC) return receive_message(argument);
  if (request == IPMICTL_SET_GETS_EVENTS_CMD || request == IPMICTL_SET_MY_ADDRESS_CMD) return 0;
  return errno = ENOTTY, -1;
}
