/**
 * The mirror: a native thread on the far end of the Lab's link that turns packets round after a chosen round-trip time, so that
 * real kernel clients of the Lab meet its listener over a cable instead of over loopback.
 */
import { LabError, requireNumber } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { Mirror as NativeMirror, native, PacketLog } from "../native";

export interface MirrorSettings {
  /** round-trip time, ms; half is waited in each direction. Default 20 */
  rtt?: number;
  /** share of packets lost, 0 to 1. Default 0 */
  loss?: number;
}

const logCapacity = 100_000;
/** 10.1.0.0/16 belongs to mirrors; each has one address there */
let next = 0;

export class Mirror implements Closable {
  private constructor(
    private readonly host: LabHost,
    private readonly thread: NativeMirror,
    /** clients connect to it, and the listener sees them come from it */
    readonly address: string,
    readonly rtt: number,
  ) {}

  /** @throws LabError ENODEV: the Lab was opened without wire */
  static async open(host: LabHost, settings: MirrorSettings = {}): Promise<Mirror> {
    const rtt = requireNumber(settings.rtt ?? 20, "rtt (ms)", 0, 60_000);
    const loss = requireNumber(settings.loss ?? 0, "loss (share of packets)", 0, 1);
    if (host.farIndex === 0) throw new LabError("This Lab has no wire.", { code: "ENODEV", hint: "Open it with { wire: true }, the default, or use kind: \"loopback\"." });
    next = (next + 1) % 65_000;
    const address = `10.1.${next >> 8}.${next & 255}`;
    const [packetFd] = await host.sockets("packet", 1);
    let thread: NativeMirror;
    try {
      thread = new native.Mirror({ packetFd, ifindex: host.farIndex, network: address, prefix: 32, rtt, loss, logCapacity });
    } catch (error) {
      native.close(packetFd);
      throw error;
    }
    thread.start();
    return host.keep(new Mirror(host, thread, address, rtt));
  }

  stats(): ReturnType<NativeMirror["stats"]> {
    return this.thread.stats();
  }

  /** packets since the last call, at most 100,000 */
  log(): PacketLog {
    return this.thread.log();
  }

  close(): void {
    this.thread.stop();
    this.host.drop(this);
  }
}
