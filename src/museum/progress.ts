/** A line for each kernel while something runs on them: under the running cell, or on a terminal. */
import { html, style } from "../html";
import { newDisplayId, notebook } from "../plot/display";
import { Repainter } from "../terminal/repaint";
import { formatTime } from "../wording/number";
import { native } from "../native";

/** ms between two pictures */
const interval = 500;

/** How far a kernel is. */
export type Stage = "waiting" | "booting" | "running" | "done" | "failed";

const words: Record<Stage, string> = {
  waiting: "waits",
  booting: "boots",
  running: "runs",
  done: "done",
  failed: "failed",
};

interface Line {
  name: string;
  stage: Stage;
  /** CLOCK_MONOTONIC ms of its start; NaN: it has not started */
  startedAt: number;
  /** ms from its start to its end; NaN: it has not ended */
  took: number;
  detail: string;
}

/** The lines, redrawn while they change. Draws nothing where there is neither a notebook nor a terminal. */
export class KernelLines {
  private readonly lines: Line[];
  private readonly send = notebook();
  private readonly painter = process.stderr.isTTY ? new Repainter(process.stderr) : undefined;
  private readonly display = { display_id: newDisplayId() };
  private readonly timer: NodeJS.Timeout;

  constructor(names: readonly string[]) {
    this.lines = names.map((name) => ({ name, stage: "waiting", startedAt: NaN, took: NaN, detail: "" }));
    this.draw(false);
    this.timer = setInterval(() => {
      this.draw(true);
    }, interval).unref();
  }

  /** Notes how far the kernel number `at` is. @param detail a few words behind it */
  set(at: number, stage: Stage, detail = ""): void {
    const line = this.lines[at];
    if (line === undefined) return;
    if (Number.isNaN(line.startedAt)) line.startedAt = native.now();
    if (stage === "done" || stage === "failed") line.took = native.now() - line.startedAt;
    Object.assign(line, { stage, detail });
    this.draw(true);
  }

  /** Shows the last state for good. */
  close(): void {
    clearInterval(this.timer);
    this.draw(true);
    this.painter?.clear();
  }

  private draw(update: boolean): void {
    const width = Math.max(...this.lines.map(({ name }) => name.length));
    const rows = this.lines.map(({ name, stage, startedAt, took, detail }) => {
      const ms = Number.isNaN(took) ? native.now() - startedAt : took;
      const time = Number.isNaN(ms) ? "" : ` ${formatTime(Math.round(ms / 100) * 100)}`;
      return `${name.padEnd(width)}  ${words[stage]}${time}${detail === "" ? "" : `: ${detail}`}`;
    });
    if (!this.send) {
      this.painter?.paint(rows);
      return;
    }
    const markup = html`<pre ${style("progressWords")}>${rows.join("\n")}</pre>`;
    const data = { "text/html": String(markup), "text/plain": rows.join("\n") };
    this.send({ data, transient: this.display }, update);
  }
}
