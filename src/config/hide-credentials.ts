/** An address, for messages, without the user and password that may stand before its host. */
export function hideCredentials(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/iu, '$1[REDACTED]@');
}
