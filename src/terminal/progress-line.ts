import { gauge } from "./meter";
import { Repainter } from "./repaint";

const width = 20;
const painter = new Repainter(process.stderr);

/** Progress on stderr: one line that is redrawn on a terminal, plain lines in a log; "" clears it. @param share done so far, 0 to 1 */
export function progressLine(text: string, share?: number): void {
  if (!process.stderr.isTTY) {
    if (text) process.stderr.write(`${text}\n`);
  } else if (text) painter.paint([share === undefined ? text : `${gauge(share, width)} ${text}`]);
  else painter.clear();
}
