/** The burst of the checklist: clients that connect at the same moment, and what they met. */
import { Clients } from "../listener/clients";
import type { Endpoint } from "../native";
import type { Trace } from "../trace";
import { record, type Surroundings } from "../trace/record";
import { fullestOf, type ListenerGroup, type Queue } from "./listener-groups";

/** samples of the queue per second during a burst: a fast accept loop empties it at once */
const looks = 5000;
/** ms; a dropped SYN is retransmitted after 1 s and after 2 s (before Linux 6.5: 1 s and 3 s) */
const patience = 2500;

/** What a burst has met. */
export interface BurstOutcome {
  /** the longest sum of the group's accept queues */
  peak: number;
  /** the accept queue that was fullest for its size, at its longest */
  fullest: Queue;
  /** ms to connect of the clients that connected, ascending */
  connected: Float64Array;
  /** retransmitted SYNs */
  resends: number;
  /** clients whose SYN was answered with RST */
  refused: number;
  /** clients whose connection was reset */
  reset: number;
}

/**
 * Sends a burst over loopback and waits until all clients have their answer, or until a dropped SYN was retransmitted twice.
 * @param group the listeners that get the clients
 * @throws LimitError more clients than this process has descriptors
 */
export async function sendBurst(
  surroundings: Surroundings,
  target: Endpoint,
  group: ListenerGroup,
  clients: number,
): Promise<BurstOutcome> {
  const { host } = surroundings;
  const recording = await record(surroundings, target.port, { hz: looks, counters: [], address: group.address });
  try {
    const crowd = await Clients.start(
      host,
      { ...target, roundTrip: 0, spreadSources: true },
      { clients, quiet: 50 },
      () => undefined,
    );
    await crowd.settled({ timeout: patience });
    const { refused, reset } = crowd.counts();
    const resends = crowd.resends().reduce((sum, each) => sum + each, 0);
    const connected = crowd.connected();
    await crowd.close();
    // a listener that was closed ends its recording: what was recorded until then counts
    await recording.close();
    return { ...peaks(recording.trace, group), connected, resends, refused, reset };
  } finally {
    await recording.close();
  }
}

function peaks(trace: Trace, group: ListenerGroup): Pick<BurstOutcome, "peak" | "fullest"> {
  const peak = trace.summary().get("acceptQueue").max;
  const lengths = trace.findColumn("fullest");
  const limits = trace.findColumn("fullestMax");
  const [only] = group.queues;
  if (!lengths || !limits) return { peak, fullest: { length: peak, limit: only?.limit ?? 0 } };
  const seen = Array.from(lengths.values, (length, at) => ({ length, limit: limits.values[at] ?? 0 }));
  return { peak, fullest: fullestOf({ ...group, queues: seen }) };
}
