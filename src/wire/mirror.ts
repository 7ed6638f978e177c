/**
 * The mirror: a native thread on the far end of the Lab's link that turns packets round after a chosen round-trip time, so that
 * real kernel clients of the Lab meet its listener over a cable instead of over loopback.
 */
import { LabError, requireNumber } from "../errors";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import { Mirror as NativeMirror, native } from "../native";

export interface MirrorSettings {
  /** round-trip time, ms; half is waited in each direction. Default 20 */
  rtt?: number;
  /** share of packets lost, 0 to 1. Default 0 */
  loss?: number;
}

/** ms in which a kernel answers what has reached it: a delayed ACK waits 40 (TCP_DELACK_MIN), the rest is for a busy machine */
const answerTime = 60;
/** ms: the shortest time after which a lost segment is sent again (TCP_RTO_MIN) */
const leastTimeout = 200;
/** A segment that was lost is sent again after one, two and four such times more. */
const resends = 1 + 2 + 4;
/** ms between two looks */
const lookInterval = 5;
/** 10.1.0.0/16 belongs to mirrors; each has one address there */
let next = 0;

export class Mirror implements Closable {
  private closing?: Promise<void>;

  private constructor(
    private readonly host: LabHost,
    private readonly thread: NativeMirror,
    /** clients connect to it, and the listener sees them come from it */
    readonly address: string,
    readonly rtt: number,
    private readonly loss: number,
  ) {}

  /** Makes and starts one. Its clients close it: see retire(). @throws LabError ENODEV: the Lab was opened without wire */
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
    const [packetFd] = await host.sockets("packet", 1);
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

  stats(): ReturnType<NativeMirror["stats"]> {
    return this.thread.stats();
  }

  /**
   * Closes the mirror once its clients' last words have been heard: they have sent FIN or RST, which takes half a round trip to the server,
   * and the server's answer the other half. The mirror knows no connections, only packets, so the end is their silence: a packet that has
   * been delivered is answered within half a round trip and the time that a kernel takes, or not at all. Where packets are lost, silence
   * must last until they would have been sent again. It takes four such silences at most: a server may go on talking for as long as it likes.
   * Resolves when the mirror is gone. A Lab that closes does not wait: nobody is left in it who could hear anything.
   */
  async retire(): Promise<void> {
    const silence = this.rtt / 2 + answerTime + (this.loss > 0 ? resends * (this.rtt + leastTimeout) : 0);
    const latest = native.now() + 4 * silence;
    let [received, since] = [-1, 0];
    while (!this.closing && !this.host.closed) {
      const now = native.now();
      const stats = this.stats();
      if (stats.received !== received) [received, since] = [stats.received, now];
      if (stats.error !== 0 || now >= latest || (stats.waiting === 0 && now - since >= silence)) break;
      // must not keep the process alive, as an open Lab does not
      await new Promise((resolve) => setTimeout(resolve, lookInterval).unref());
    }
    await this.close();
  }

  /** At once: packets on their way are lost. Idempotent; resolves when the thread and its ring are gone. */
  close(): Promise<void> {
    this.closing ??= this.thread.stop().then(() => this.host.drop(this));
    return this.closing;
  }
}
