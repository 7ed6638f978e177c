/** A bar for the progress of something long. */
import { html, style } from "../html";
import { formatNumber } from "../wording/number";
import { newDisplayId, notebook } from "./display";
import { palette } from "./palette";

/** ms between two pictures */
const interval = 200;

/** A bar under the running cell. */
export interface ProgressBar {
  /** How far it is now, in the unit of the total; drawn five times per second at most. */
  update(value: number): void;
}

/**
 * Shows an empty bar under the running cell; outside notebooks it prints a line at each tenth.
 * @param label what is counted
 * @param total when it is done, in the unit of the values
 */
export function progress(label: string, total: number): ProgressBar {
  const send = notebook();
  const display = { display_id: newDisplayId() };
  const words = (value: number) => `${label}: ${formatNumber(value)} of ${formatNumber(total)}`;
  const draw = (value: number, update: boolean) => {
    const done = { width: `${Math.min(100, (100 * value) / total).toFixed(1)}%`, background: palette.acceptQueue };
    const bar = html`<div ${style("progress")}><div ${style("progressWords")}>${words(value)}</div><div ${style("track")}><div ${style("fill", done)}></div></div></div>`;
    send?.({ data: { "text/html": String(bar), "text/plain": words(value) }, transient: display }, update);
  };
  let drawnAt = 0;
  let tenth = 0;
  draw(0, false);
  return {
    update(value) {
      const now = Date.now();
      if (send && (now - drawnAt >= interval || value >= total)) {
        drawnAt = now;
        draw(value, true);
      }
      const reached = Math.floor((10 * value) / total);
      if (!send && reached > tenth) {
        tenth = reached;
        process.stdout.write(`${words(value)}\n`);
      }
    },
  };
}
