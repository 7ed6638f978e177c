/** What a demo is: an experiment in Labs of its own that shows what it measures while it measures it. */
import type { Outcome } from "./outcome";
import type { Stage } from "./stage";

export interface DemoOptions {
  /** how long each part is shown, seconds */
  seconds: number;
  /** connections that are wanted; only `million` asks for it */
  count: number;
}

export interface Demo {
  readonly name: string;
  readonly title: string;
  /** what it shows, one sentence */
  readonly sentence: string;
  /** seconds that it takes, about */
  readonly takes: number;
  /** how long each of its parts is shown if nothing else is asked for, seconds */
  readonly seconds: number;
  /** where to read on */
  readonly notebook: string;
  /** default of DemoOptions.count, where the demo has one */
  readonly count?: number;
  /** @throws InterruptedError after Ctrl-C; its Labs are closed then */
  run(stage: Stage, options: DemoOptions): Promise<Outcome>;
}
