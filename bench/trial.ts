/**
 * What a trial is. It measures our code and its peers in turn, several times in one run, and compares the medians.
 */

/** One thing measured in a trial. Times in ms, unless the unit says otherwise. */
export interface Row {
  /** what was measured: "our accept loop" */
  name: string;
  /** median over the repetitions; NaN where it could not be measured */
  median: number;
  /** of `median` and `samples`: "ms" */
  unit: string;
  /** all repetitions, in the order measured */
  samples: number[];
  /** why it was left out */
  skipped?: string;
}

/** A median compared with another one, and the bound that we want. */
export interface Ratio {
  /** "ours / C" */
  name: string;
  /** quotient of two medians, no unit */
  value: number;
  /** the bound: "at most 1.5" */
  wanted: string;
  /** whether `value` is within the bound */
  reached: boolean;
}

/** What a trial has measured. */
export interface TrialResult {
  /** its name */
  trial: string;
  /** what it asks */
  question: string;
  /** ours first, then the peers */
  rows: Row[];
  /** comparisons with the peers */
  ratios: Ratio[];
  /** sentences for the reader of the table */
  notes: string[];
}

/** One trial of `npm run bench`. */
export interface Trial {
  /** for --only: "lab-open" */
  name: string;
  /** what it asks */
  question: string;
  /** Measures it. A peer that cannot be built or run becomes a skipped row. @param progress takes a line for stderr */
  run(progress: (text: string) => void): Promise<Omit<TrialResult, "trial" | "question">>;
}

/** The middle value, or the mean of the two middle ones; NaN if there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** A row of what was measured; without samples its median is NaN. */
export function row(name: string, unit: string, samples: number[] = []): Row {
  return { name, unit, samples, median: median(samples) };
}

/** A row that could not be measured. @param reason a sentence without its full stop */
export function skippedRow(name: string, unit: string, reason: string): Row {
  return { name, unit, samples: [], median: NaN, skipped: reason };
}

/** The median of the row at that place; NaN if there is none. */
export function medianAt(rows: readonly Row[], at: number): number {
  return rows.at(at)?.median ?? NaN;
}

/**
 * Measures the contestants in turn, `rounds` times, so that other load on the machine affects all of them.
 * @returns the samples of each contestant by its name, in the order measured
 */
export async function sideBySide(
  rounds: number,
  contestants: Record<string, () => Promise<number> | number>,
): Promise<Record<string, number[]>> {
  const samples: Record<string, number[]> = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(contestants)) samples[name].push(await measure());
  }
  return samples;
}

/** A ratio that should be `bound` or less. */
export function atMost(name: string, value: number, bound: number): Ratio {
  return { name, value, wanted: `at most ${bound}`, reached: value <= bound };
}

/** A ratio that should be `bound` or more. */
export function atLeast(name: string, value: number, bound: number): Ratio {
  return { name, value, wanted: `at least ${bound}`, reached: value >= bound };
}
