/** `watch` without an argument: every listener of this network namespace. */
import { native } from "../native";
import { LiveOutput } from "../terminal/live-output";
import { causeOf } from "../watch/alert";
import { Holders } from "../watch/holders";
import { fullness, type Listening, readListening, versionsOf, whereOf } from "../watch/listeners";
import { readCounts } from "../watch/namespace";
import { keepWatching } from "../watch/pace";
import { listenersTable, unixFullness, unixTable } from "../watch/table";
import { readUnixListening, type UnixListening } from "../watch/unix";
import { alerted, type Options } from "./watch-options";

/** Shows every listener until something ends it. @returns the exit status */
export async function watchAll(options: Options): Promise<number> {
  const diagFd = native.diagSocket();
  const output = new LiveOutput(options.json);
  let status = 0;
  try {
    const all = new EveryListener(diagFd);
    const overflowsBefore = readCounts().overflows;
    const reason = await keepWatching({
      interval: options.interval,
      duration: options.for,
      left: output.left,
      look() {
        const seen = all.look();
        const overflows = options.alert?.overflows ? readCounts().overflows - overflowsBefore : 0;
        const cause = causeOf(options.alert, { ...seen, overflows });
        if (cause !== undefined) status = alerted;
        return cause && `ALERT: ${cause}`;
      },
      report: () => all.show(output),
    });
    output.end({ reason, exit: status }, reason);
  } finally {
    native.close(diagFd);
  }
  return status;
}

/** The listeners at the last look, and what was seen of them since the watch began. */
class EveryListener {
  private listening: Listening[];
  private unix: UnixListening;
  private readonly peaks = new Map<number, number>();
  private readonly drops = new Map<number, number>();
  private readonly dropsBefore: ReadonlyMap<number, number>;
  private readonly holders = new Holders();

  constructor(private readonly diagFd: number) {
    this.listening = readListening(diagFd);
    this.unix = readUnixListening(diagFd);
    this.dropsBefore = new Map(this.listening.map(({ inode, drops }) => [inode, drops]));
  }

  /** Reads them. @returns the fullest TCP listener, and the drops at all of them since the watch began */
  look(): { full: number; fullest: string; drops: number } {
    this.listening = readListening(this.diagFd);
    this.unix = readUnixListening(this.diagFd);
    for (const { inode, acceptQueue } of [...this.listening, ...(this.unix.sockets ?? [])])
      this.peaks.set(inode, Math.max(this.peaks.get(inode) ?? 0, acceptQueue));
    // sk_drops wraps at 2^32
    for (const { inode, drops } of this.listening)
      this.drops.set(inode, (drops - (this.dropsBefore.get(inode) ?? 0)) >>> 0);
    const [fullest] = [...this.listening].sort((a, b) => fullness(b) - fullness(a));
    return {
      full: fullest ? fullness(fullest) : 0,
      fullest: fullest ? whereOf(fullest) : "",
      drops: [...this.drops.values()].reduce((sum, each) => sum + each, 0),
    };
  }

  show(output: LiveOutput): void {
    this.forgetClosed();
    const { listening, unix, peaks, drops } = this;
    const holders = this.holders.of([...listening, ...(unix.sockets ?? [])]);
    const since = { peaks, drops, holders };
    const table = () => [...listenersTable(listening, since), ...unixTable(unix, since)];
    const seen = (inode: number) => ({ peak: peaks.get(inode) ?? 0, heldBy: holders.get(inode) });
    const rows = listening.map((each) => ({
      listener: whereOf(each),
      ip: versionsOf(each),
      ...each,
      drops: drops.get(each.inode) ?? 0,
      full: fullness(each),
      ...seen(each.inode),
    }));
    const unixRows = unix.sockets?.map((each) => ({ ...each, full: unixFullness(each), ...seen(each.inode) }));
    output.show(
      { listeners: rows, unix: unixRows ?? null, unixCount: unix.count },
      table,
      () => `${table().join("\n")}\n`,
    );
  }

  /** A watch of months sees many sockets. */
  private forgetClosed(): void {
    const open = new Set([...this.listening, ...(this.unix.sockets ?? [])].map(({ inode }) => inode));
    for (const inode of this.peaks.keys()) if (!open.has(inode)) this.peaks.delete(inode);
  }
}
