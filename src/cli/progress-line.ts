/** One line that moves on a terminal, plain lines in a log; "" clears it. */
export function progressLine(text: string, share?: number): void {
  const { isTTY, columns = 80 } = process.stderr;
  const width = 20;
  const full = share === undefined ? 0 : Math.round(Math.min(1, share) * width);
  const bar = share === undefined || !isTTY ? "" : `${"█".repeat(full)}${"░".repeat(width - full)} `;
  if (isTTY) process.stderr.write(`\r\u001b[K${`${bar}${text}`.slice(0, columns - 1)}`);
  else if (text) process.stderr.write(`${text}\n`);
}
