/** What a demo is: an experiment in Labs of its own that shows what it measures while it measures it. */
import type { Outcome } from "./outcome";
import type { Stage } from "./stage";

/** What a demo is asked for. */
export interface DemoOptions {
  /** how long each part is shown, seconds */
  seconds: number;
  /** connections that are wanted; only `million` uses it */
  count: number;
}

/** One demo of `one-listener demo`. */
export interface Demo {
  /** its name on the command line: "overflow" */
  readonly name: string;
  /** what stands above its panel */
  readonly title: string;
  /** what it shows, one sentence */
  readonly sentence: string;
  /** seconds that it takes, approximately */
  readonly takes: number;
  /** default of DemoOptions.seconds */
  readonly seconds: number;
  /** where to read on */
  readonly notebook: string;
  /** default of DemoOptions.count, where the demo has one */
  readonly count?: number;
  /** Runs it in Labs of its own, which are closed however it ends. @throws InterruptedError after Ctrl-C */
  run(stage: Stage, options: DemoOptions): Promise<Outcome>;
}
