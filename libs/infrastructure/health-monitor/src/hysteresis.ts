/** A yes or no that changes only after a number of outcomes in a row have contradicted it. */
export class Hysteresis {
  #raised = false;
  #against = 0;

  /** @param toRaise outcomes in a row that raise it. @param toClear outcomes in a row that clear it. */
  constructor(
    private readonly toRaise: number,
    private readonly toClear: number,
  ) {}

  get raised(): boolean {
    return this.#raised;
  }

  /** How many outcomes in a row have contradicted it by now. */
  get against(): number {
    return this.#against;
  }

  observe(raise: boolean): void {
    this.#against = raise === this.#raised ? 0 : this.#against + 1;
    if (this.#against >= (this.#raised ? this.toClear : this.toRaise)) this.set(raise);
  }

  /** Decides at once, whatever was observed before. */
  set(raised: boolean): void {
    this.#raised = raised;
    this.#against = 0;
  }
}
