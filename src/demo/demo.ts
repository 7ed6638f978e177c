/** A demo: one experiment for a lecture hall, told in a terminal. */
import type { Stage } from "./stage";

export interface DemoOptions {
  /** connections of the million; fewer for a small machine or a test */
  count: number;
}

export interface Outcome {
  /** what was measured, for --json */
  numbers: Record<string, number>;
  /** two or three sentences with the numbers in them */
  told: string[];
  /** the kernel function that decided */
  kernel: string;
  /** where to read on */
  notebook: string;
}

export interface Demo {
  name: string;
  title: string;
  sentence: string;
  /** s, about */
  seconds: number;
  run(stage: Stage, options: DemoOptions): Promise<Outcome>;
}
