/**
 * The mirror: a native thread on the far end of the Lab's link. It swaps the addresses of packets and sends them back
 * after a chosen round-trip time, so that clients with real sockets connect to the Lab's listener over a link and not
 * over loopback.
 */
import { LabError, requireNumber } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { type Mirror as NativeMirror, native } from "../native";
import { msUntil } from "../waiting/until";

/** How a mirror delays and loses packets. */
export interface MirrorSettings {
  /** round-trip time, ms, 0 to 60,000; half of it in each direction. Default 20 */
  rtt?: number;
  /** share of packets that are lost, 0 to 1. Default 0 */
  loss?: number;
}

/**
 * ms in which the kernel answers a packet: a delayed ACK waits 40 ms (TCP_DELACK_MIN), the rest is for a busy machine
 */
const answerTime = 60;
/** ms: the shortest retransmission timeout (TCP_RTO_MIN) */
const leastTimeout = 200;
/** A lost segment is retransmitted after one, two more, and four more such timeouts. */
const retransmissions = 1 + 2 + 4;
/** ms between two reads of the mirrors' counts */
const lookInterval = 5;
/** 10.1.0.0/16 belongs to mirrors; each has one address of it */
let next = 0;

/** A running mirror of one group of clients; see Lab.connect() with kind: "mirror". */
export class Mirror implements Closable {
  private closing?: Promise<void>;

  private constructor(
    private readonly host: LabHost,
    private readonly thread: NativeMirror,
    /** clients connect to this address, and the listener sees them at this address */
    readonly address: string,
    /** round-trip time, ms */
    readonly rtt: number,
    private readonly loss: number,
  ) {}

  /**
   * Starts a mirror. Its clients close it: see retire().
   * @throws LabError ENODEV: the Lab has no wire; ArgumentError; ClosedError
   */
  static async open(host: LabHost, settings: MirrorSettings = {}): Promise<Mirror> {
    const rtt = requireNumber(settings.rtt ?? 20, "rtt (ms)", 0, 60_000);
    const loss = requireNumber(settings.loss ?? 0, "loss (share of packets)", 0, 1);
    if (host.farIndex === 0)
      throw new LabError("This Lab has no wire.", {
        code: "ENODEV",
        hint: 'Open it with { wire: true }, the default, or use kind: "loopback".',
      });
    next = (next + 1) % 65_000;
    const address = `10.1.${next >> 8}.${next & 255}`;
    const packetFd = await host.socket("packet");
    let thread: NativeMirror;
    try {
      thread = new native.Mirror({
        packetFd,
        ifindex: host.farIndex,
        network: address,
        prefix: 32,
        rtt,
        loss,
        logCapacity: 0,
      });
    } catch (error) {
      native.close(packetFd);
      throw error;
    }
    try {
      thread.start();
    } catch (error) {
      await thread.stop();
      throw error;
    }
    return host.keep(new Mirror(host, thread, address, rtt, loss));
  }

  /**
   * Closes the mirror when the last packets of its clients have been delivered and answered. The clients have sent FIN
   * or RST, which takes half a round trip to the server, and the server's answer takes the other half. The mirror knows
   * packets and no connections, so it waits for silence: the kernel answers a packet within half a round trip and its
   * own time, or not at all. Where packets are lost, the silence must be long enough for their retransmissions. After
   * four times this silence the mirror closes in any case, because a server may send without end. Resolves when the
   * mirror is closed. It does not wait in a Lab that closes: that has no socket left to answer.
   */
  async retire(): Promise<void> {
    const silence = this.rtt / 2 + answerTime + (this.loss > 0 ? retransmissions * (this.rtt + leastTimeout) : 0);
    let [received, since] = [-1, 0];
    const silent = () => {
      if (this.closing || this.host.closed) return true;
      const now = native.now();
      const stats = this.thread.stats();
      if (stats.received !== received) [received, since] = [stats.received, now];
      return stats.error !== 0 || (stats.waiting === 0 && now - since >= silence);
    };
    // in the background, as an open Lab does not keep the process alive
    await msUntil(silent, 4 * silence, { interval: lookInterval, background: true });
    await this.close();
  }

  /**
   * Closes the mirror at once: delayed packets are lost. Idempotent; resolves when the thread and its ring are gone.
   */
  close(): Promise<void> {
    this.closing ??= this.thread.stop().then(() => this.host.drop(this));
    return this.closing;
  }
}
