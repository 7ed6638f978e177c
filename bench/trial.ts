/**
 * What a trial is: measured side by side with its peers in one run, several times, and compared by the ratio of medians.
 */

/** One thing measured in a trial. Times in ms, unless the unit says otherwise. */
export interface Row {
  name: string;
  /** median over the repetitions; NaN where it could not be measured */
  median: number;
  unit: string;
  /** all repetitions, in the order measured */
  samples: number[];
  /** why it was left out */
  skipped?: string;
}

export interface Ratio {
  /** "ours / C" */
  name: string;
  value: number;
  /** what we want: at most, or at least */
  wanted: string;
  reached: boolean;
}

export interface TrialResult {
  trial: string;
  question: string;
  rows: Row[];
  ratios: Ratio[];
  notes: string[];
}

export interface Trial {
  name: string;
  question: string;
  run(progress: (text: string) => void): Promise<Omit<TrialResult, "trial" | "question">>;
}

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

export function skippedRow(name: string, unit: string, reason: string): Row {
  return { name, unit, samples: [], median: NaN, skipped: reason };
}

/** The median of the row at that place; NaN if there is none. */
export function medianAt(rows: readonly Row[], at: number): number {
  return rows.at(at)?.median ?? NaN;
}

/** Runs the contestants in turn, `rounds` times, so that a noisy minute hits all of them. */
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

export function atMost(name: string, value: number, bound: number): Ratio {
  return { name, value, wanted: `at most ${bound}`, reached: value <= bound };
}

export function atLeast(name: string, value: number, bound: number): Ratio {
  return { name, value, wanted: `at least ${bound}`, reached: value >= bound };
}
