/**
 * Claim 10: finding a connection by its 4-tuple takes the same time for any number of connections.
 *
 * The time of a ping-pong over loopback contains two lookups, one for each segment. The same fifty connections play it while others are added
 * around them: once in a large table, once in one with a single bucket, where every lookup walks past all connections that were added later.
 */
import { ArgumentError, KernelError, LabError } from "../errors";
import type { Lab } from "../front-door";
import type { Connection } from "../listener/connection";
import { native } from "../native";
import { claim } from "./claim";
import { count, type Evidence, group, numbers, optional } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { median } from "./median";
import { othersField, requireQuietMachine, watchProcessors } from "./processor-share";
import { countOf } from "../wording/number";

const mostConnections = 1600;
const roomyBuckets = 16_384;
const players = 50;
/** a block's median is over `rounds` ping-pongs per connection; the least median of `blocks` counts, because disturbances only add time */
const rounds = 12;
const blocks = 5;

const ball = new Uint8Array(1);

/** us from one end's send to the answer's arrival there */
function pingPong(near: number, far: number): number {
  const start = native.now();
  native.send(near, ball);
  receive(far);
  native.send(far, ball);
  receive(near);
  return (native.now() - start) * 1000;
}

function receive(fd: number): void {
  const deadline = native.now() + 1000;
  while (native.recv(fd, ball) < 1) {
    if (native.now() > deadline) throw late("A byte sent over loopback has not arrived within 1 s.");
  }
}

/** What only a machine that is very busy brings about. */
function late(message: string): LabError {
  return new LabError(message, { code: "ETIMEDOUT" });
}

/** Both ends are sockets of this process: fewer where descriptors are few. */
function connectionCounts(): number[] {
  const most = Math.floor(clientsWithin(2 * mostConnections) / 2);
  return [Math.max(players, Math.floor(most / 16)), Math.floor(most / 4), most];
}

/** The buckets of the machine's table: twice the default of tcp_max_tw_buckets in a new namespace (tcp_sk_init()). */
async function bucketsOf(lab: Lab): Promise<number> {
  return 2 * (await lab.sysctl.get("net.ipv4.tcp_max_tw_buckets"));
}

async function lookupTimes(
  buckets: number,
  counts: number[],
): Promise<{ buckets: number; connections: number[]; microseconds: number[] } | undefined> {
  return inLab({ wire: false, hashBuckets: buckets }, async (lab) => {
    if (buckets > 0 && !lab.host.ownHash) return undefined;
    const listener = await lab.listen({ backlog: 4096 });
    const accepted: number[] = [];
    const microseconds: number[] = [];
    let near: Connection[] = [];
    let pairs: [near: number, far: number][] = [];
    try {
      for (const connections of counts) {
        const clients = await lab.connect(listener, { clients: connections - accepted.length });
        accepted.push(...native.acceptAll(listener.fd, connections));
        if (accepted.length < connections) throw late(`${accepted.length} of ${connections} connections came.`);
        if (pairs.length === 0) {
          // taken out of their thread, which would read what we send
          near = Array.from({ length: players }, (_, at) => clients.take(at));
          const farOf = new Map(accepted.map((far) => [native.getpeername(far).port, far]));
          pairs = near.map(({ fd, local }) => {
            const far = farOf.get(local.port);
            if (far === undefined) throw new Error(`The client at port ${local.port} was not accepted.`);
            return [fd, far];
          });
        }
        const medians = Array.from({ length: blocks }, () =>
          median(
            Array.from({ length: rounds }, () => pairs.map(([client, server]) => pingPong(client, server))).flat(),
          ),
        );
        microseconds.push(Number(Math.min(...medians).toFixed(2)));
      }
    } finally {
      for (const end of near) await end.close();
      await native.closeLater(Int32Array.from(accepted));
    }
    return { buckets: buckets || (await bucketsOf(lab)), connections: counts, microseconds };
  });
}

/** The same measured up to three times while the times seem to grow: disturbances only add time, so the lesser figures count. */
async function undisturbed(buckets: number, counts: number[]) {
  const first = await lookupTimes(buckets, counts);
  for (let more = 0; first && more < 2 && growth(first) >= constant; more++) {
    const again = await lookupTimes(buckets, counts);
    first.microseconds = first.microseconds.map((us, at) => Math.min(us, again?.microseconds[at] ?? us));
  }
  return first;
}

async function lookupCost() {
  const counts = connectionCounts();
  const others = watchProcessors();
  const roomy = await undisturbed(roomyBuckets, counts);
  if (roomy) return { roomy, tiny: await lookupTimes(1, counts), others: others() };
  // before Linux 6.1 a Lab has the machine's own table, which has buckets enough; a table with too few is not to be had
  const machine = await undisturbed(0, counts);
  if (!machine)
    throw new KernelError(
      "This kernel gives a Lab no connection hash of its own.",
      "Linux 6.1 and later do (tcp_child_ehash_entries).",
      "inet_pernet_hashinfo_alloc()",
    );
  return { roomy: machine, others: others() };
}

const series = {
  buckets: count("buckets of the table"),
  connections: numbers("numbers of connections, ascending"),
  microseconds: numbers("us that a ping-pong took with each number"),
};

/** How the time grows: 0 is constant, 1 is linear (slope in a log-log plot, from the first to the last point). */
function growth({ connections, microseconds }: Evidence<typeof series>): number {
  if (microseconds.length !== connections.length)
    throw new ArgumentError("There must be as many times as numbers of connections.", "Give one time for each number.");
  // numbers() accepts no fewer than two values
  const ratio = (values: readonly number[]) => (values.at(-1) ?? NaN) / (values.at(0) ?? NaN);
  if (!(ratio(connections) >= 4))
    throw new ArgumentError(
      "The number of connections must grow at least fourfold, or noise decides.",
      "Measure with more connections.",
    );
  return Math.log(ratio(microseconds)) / Math.log(ratio(connections));
}

/** a log-log slope below this is noise and cold caches: 16 times the connections, less than 1.75 times the time */
const constant = 0.2;

/**
 * Claim 10: whether the time of a lookup by the 4-tuple grows with the number of connections. Times are µs of a ping-
 * pong over loopback. The experiment fails with ENOENT before Linux 6.1, where a Lab has no hash of its own. Source:
 * __inet_lookup_established().
 * @throws ArgumentError judge(): the series differ in length, or the connections grow less than fourfold
 */
export const constantLookup = claim({
  number: 10,
  section: "Part 1",
  statement: "The kernel finds a connection by its 4-tuple in a hash table in constant time, O(1).",
  quote: "O(1) hash lookup",
  notebook: "01",
  evidence: {
    roomy: group("times in a table with enough buckets", series),
    tiny: optional(group("times in a table with too few buckets", series)),
    others: othersField,
  },
  experiment: (once) => once(lookupCost),
  judge({ roomy, tiny, others }) {
    const words = ({ buckets, connections, microseconds }: Evidence<typeof series>) =>
      `${countOf(buckets, "bucket")}: ${microseconds.map((us) => us.toFixed(1)).join(", ")} µs for a ping-pong with ${connections.join(", ")} connections`;
    const measured = [roomy, tiny].flatMap((times) => (times ? [words(times)] : [])).join("; ");
    const kernel = "__inet_lookup_established()";
    if (growth(roomy) >= constant) {
      requireQuietMachine(others, measured, kernel);
      return {
        verdict: "false",
        measured,
        why: "Even in a table with enough buckets, the time grew with the number of connections.",
        kernel,
      };
    }
    const slow = tiny !== undefined && growth(tiny) >= constant;
    return {
      verdict: "holds",
      measured,
      why: `The kernel walks the chain of one bucket. While the table has enough buckets, the chains are short and the average time is constant.${slow ? " In a table with too few buckets, every lookup walks a long chain." : ""}`,
      kernel,
    };
  },
});
