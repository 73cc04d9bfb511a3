/**
 * Divides CPU time into user and system as the kernel does for `cpu.stat`: in proportion to its tick samples,
 * with neither part ever decreasing. Values are integers in any unit.
 */
export class UserShare {
  user = 0;
  system = 0;

  /** @param userPart the user samples, in any unit; `systemPart` must have the same unit */
  update(usage: number, userPart: number, systemPart: number): void {
    const parts = userPart + systemPart;
    const wanted = parts === 0 ? usage : Math.floor(usage * (userPart / parts));
    const grown = Math.max(0, usage - this.user - this.system);
    const user = Math.min(Math.max(wanted, this.user), this.user + grown);
    this.system += grown - (user - this.user);
    this.user = user;
  }
}
