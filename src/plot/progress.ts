/** A bar that says how far something long has come. */
import { formatNumber } from "../wording/number";
import { newDisplayId, notebook } from "./display";
import { escapeHtml } from "./page";
import { palette } from "./palette";

const interval = 200;

export interface ProgressBar {
  /** How far it is now; drawn five times a second at most. */
  update(value: number): void;
}

/** Shows an empty bar under the running cell; outside notebooks a line at each tenth. */
export function progress(label: string, total: number): ProgressBar {
  const send = notebook();
  const id = newDisplayId();
  const words = (value: number) => `${label}: ${formatNumber(value)} of ${formatNumber(total)}`;
  const html = (value: number) =>
    `<div style="max-width:860px;margin:.4em 0"><div style="font-size:1.05em">${escapeHtml(words(value))}</div><div style="height:14px;background:rgba(128,128,128,.25)"><div style="height:14px;width:${Math.min(100, (100 * value) / total).toFixed(1)}%;background:${palette.acceptQueue}"></div></div></div>`;
  let drawnAt = 0;
  let tenth = 0;
  const draw = (value: number, update: boolean) =>
    send?.({ data: { "text/html": html(value), "text/plain": words(value) }, transient: { display_id: id } }, update);
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
