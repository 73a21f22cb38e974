/**
 * How long a run of the benchmark takes, and where its words go.
 */
export class Plan {
  constructor(
    readonly rounds: number,
    /** Of one measurement. */
    readonly seconds: number,
    /** Live tokens to compare. */
    readonly scales: number[],
    readonly print: (text: string) => void
  ) {}

  /**
   * Measures every variant once a round, each round in another order, so that what else the
   * machine does falls on all of them. `times` as many rounds tell variants apart that differ by
   * less than that.
   */
  async interleave<Variant, Outcome>(
    variants: readonly Variant[],
    measure: (variant: Variant) => Promise<Outcome>,
    times = 1
  ): Promise<Map<Variant, Outcome[]>> {
    const outcomes = new Map<Variant, Outcome[]>(variants.map((variant) => [variant, []]))
    for (let round = 0; round < this.rounds * times; round++) {
      for (let turn = 0; turn < variants.length; turn++) {
        const variant = variants[(round + turn) % variants.length]
        outcomes.get(variant)!.push(await measure(variant))
      }
    }
    return outcomes
  }
}
