/** A sum of nanojoules that is exact however large it grows, since whole joules are kept separately. */
export class EnergyTotal {
  /** Whole joules. */
  #wholeJ = 0;
  /** The remainder in nanojoules, below 1e9. */
  #restNj = 0;

  get wholeJ(): number {
    return this.#wholeJ;
  }

  get restNj(): number {
    return this.#restNj;
  }

  /** As a double, at most one unit in the last place off. Never decreases. */
  get joules(): number {
    return this.#wholeJ + this.#restNj / 1e9;
  }

  /** @param energyNj whole nanojoules, 0 or more */
  add(energyNj: number): void {
    if (energyNj < 1e9) return this.#addRest(energyNj);
    // The remainder of doubles is exact, and so are this difference and its quotient.
    const restNj = energyNj % 1e9;
    this.#wholeJ += (energyNj - restNj) / 1e9;
    this.#addRest(restNj);
  }

  addTotal(other: EnergyTotal): void {
    this.#wholeJ += other.#wholeJ;
    this.#addRest(other.#restNj);
  }

  #addRest(energyNj: number): void {
    this.#restNj += energyNj;
    if (this.#restNj < 1e9) return;
    this.#restNj -= 1e9;
    this.#wholeJ += 1;
  }
}

/** The difference between sums of totals, in nanojoules. Exact below 9 MJ of difference. */
export class Balance {
  #wholeJ = 0;
  #restNj = 0;

  get energyNj(): number {
    return this.#wholeJ * 1e9 + this.#restNj;
  }

  plus(total: EnergyTotal): void {
    this.#wholeJ += total.wholeJ;
    this.#restNj += total.restNj;
  }

  minus(total: EnergyTotal): void {
    this.#wholeJ -= total.wholeJ;
    this.#restNj -= total.restNj;
  }
}
