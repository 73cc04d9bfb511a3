/**
 * How CPU time divides into user and system, as the kernel does it in `cpu.stat`: by what it sampled at its ticks, and so
 * that neither part ever falls. Any unit, in whole numbers.
 */
export class UserShare {
  user = 0;
  system = 0;

  /** @param userPart what was sampled, in the same proportion as the CPU time; likewise `systemPart` */
  update(usage: number, userPart: number, systemPart: number): void {
    const parts = userPart + systemPart;
    const wanted = parts === 0 ? usage : Math.floor(usage * (userPart / parts));
    const grown = Math.max(0, usage - this.user - this.system);
    const user = Math.min(Math.max(wanted, this.user), this.user + grown);
    this.system += grown - (user - this.user);
    this.user = user;
  }
}
