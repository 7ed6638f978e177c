/** The result of a demo. Every number was measured in this run. */
export interface Outcome {
  /** what was measured, by name; the names carry no units, --json prints them as they are */
  numbers: Record<string, unknown>;
  /** two or three sentences with the numbers in them */
  result: string[];
  /** the kernel function that decided it */
  kernel: string;
}
