/**
 * Splits the energy of windows into idle and dynamic by a floor (ledger.md section 3). The small carry keeps the
 * noise of windows near the refresh interval from being counted as dynamic energy; a large one would eat bursts.
 */
export class IdleSplit {
  #carryNj = 0;

  /**
   * @param energyNj whole nanojoules of the window
   * @param floorNj energy at floor power in the window
   * @param refreshNj energy at floor power in one refresh interval of the meter
   * @returns whole nanojoules of idle energy
   */
  split(energyNj: number, floorNj: number, refreshNj: number): number {
    const allowedNj = this.#carryNj + floorNj;
    const idleNj = Math.min(energyNj, Math.floor(allowedNj));
    this.#carryNj = Math.min(allowedNj - idleNj, 2 * refreshNj);
    return idleNj;
  }
}
