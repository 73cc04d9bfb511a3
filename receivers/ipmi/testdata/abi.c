// Prints the layouts of linux/ipmi.h as JSON, by the names that ioctl-transport.ts has for them.
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/ipmi.h>

#define at(type, member) (int)offsetof(struct type, member)

int main(void) {
  printf("{\"sendCommand\": %lu, \"receiveTruncated\": %lu,", (unsigned long)IPMICTL_SEND_COMMAND,
         (unsigned long)IPMICTL_RECEIVE_MSG_TRUNC);
  printf("\"request\": {\"size\": %d, \"address\": %d, \"addressLength\": %d, \"messageId\": %d, \"message\": %d},",
         (int)sizeof(struct ipmi_req), at(ipmi_req, addr), at(ipmi_req, addr_len), at(ipmi_req, msgid),
         at(ipmi_req, msg));
  printf("\"received\": {\"size\": %d, \"type\": %d, \"address\": %d, \"addressLength\": %d, \"messageId\": %d,"
         "\"message\": %d},",
         (int)sizeof(struct ipmi_recv), at(ipmi_recv, recv_type), at(ipmi_recv, addr), at(ipmi_recv, addr_len),
         at(ipmi_recv, msgid), at(ipmi_recv, msg));
  printf("\"message\": {\"netFn\": %d, \"command\": %d, \"dataLength\": %d, \"data\": %d},", at(ipmi_msg, netfn),
         at(ipmi_msg, cmd), at(ipmi_msg, data_len), at(ipmi_msg, data));
  printf("\"address\": {\"size\": %d, \"type\": %d, \"channel\": %d, \"lunOrSlave\": %d, \"lunOfSlave\": %d}}\n",
         (int)sizeof(struct ipmi_ipmb_addr), at(ipmi_ipmb_addr, addr_type), at(ipmi_ipmb_addr, channel),
         at(ipmi_ipmb_addr, slave_addr), at(ipmi_ipmb_addr, lun));
  return sizeof(struct ipmi_ipmb_addr) != sizeof(struct ipmi_system_interface_addr) ||
         at(ipmi_system_interface_addr, lun) != at(ipmi_ipmb_addr, slave_addr);
}
