import { setTimeout as wait } from "node:timers/promises";
import { plot, type Lab } from "one-listener";
import { native } from "one-listener/native";
import {
  clientEnds,
  defineCheck,
  otherText,
  readers,
  remains,
  remainsStory,
  theListener,
  wasServed,
  type ClientEnd,
} from "one-listener/exercise";

const port = 8080;
const handleMs = 30;
/** how many of the clients are readers */
const some = 5;
const answer = "done";
/** ms that the check watches at most */
const watched = 2500;

/** The Lab's table of sockets at one moment. */
interface Look {
  /** CLOCK_MONOTONIC ms */
  at: number;
  accepted: number;
  /** the clients' ports of the connections that wait in the accept queue */
  waiting: number[];
}

/**
 * Looks at the table twice. An accepted connection has a descriptor, and with it an inode; one in the accept queue has none. While the
 * kernel lists its table, connections end and others take their places, so one list can show more than there ever were at a time. A
 * connection with an inode in two lists was accepted during all the time between.
 */
function look(lab: Lab): Look {
  const at = native.now();
  const first = lab.sockets({ port, states: ["ESTABLISHED"] });
  const second = lab.sockets({ port, states: ["ESTABLISHED"] });
  const inodes = new Set(first.map(({ inode }) => inode).filter((inode) => inode > 0));
  return {
    at,
    accepted: second.filter(({ inode }) => inodes.has(inode)).length,
    waiting: second.filter(({ inode }) => inode === 0).map(({ remote }) => remote.port),
  };
}

/** Looks every 2 ms, until all clients are over or the time is. */
async function watch(lab: Lab, over: () => boolean): Promise<Look[]> {
  const looks: Look[] = [];
  const begin = native.now();
  while (!over() && native.now() - begin < watched) {
    looks.push(look(lab));
    await wait(2);
  }
  return looks;
}

/** By the client's port: the last moment at which its connection still waited in the accept queue. */
function lastWaited(looks: readonly Look[]): Map<number, number> {
  return new Map(looks.flatMap(({ at, waiting }) => waiting.map((client) => [client, at] as const)));
}

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const limit = integer(5, 10);
  const clients = limit * 10;
  let looks: Look[] = [];
  let ends: ClientEnd[] = [];
  let left = "";

  before(`${clients} clients at once, a limit of ${limit}`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, limit, handleMs });
    const { sendQueue } = await theListener(lab, port, server);
    that(sendQueue + 1 >= clients, {
      did: `${clients} clients are going to connect at once`,
      expected: "an accept queue that has room for all of them",
      measured: `a capacity of ${sendQueue + 1}`,
    });
    const delays = Array.from({ length: some }, () => integer(0, 100));
    const read = readers(lab, port, delays);
    const crowd = await lab.connect(port, { clients: clients - some, quiet: 0 });
    const begin = native.now();
    looks = await watch(lab, () => crowd.counts().closedByServer + read.filter(({ over }) => over).length >= clients);
    ends = clientEnds(crowd, read);
    const times = looks.map(({ at }) => (at - begin) / 1000);
    picture(
      plot.lines(
        [
          { name: "accepted connections", x: times, y: looks.map(({ accepted }) => accepted), steps: true },
          { name: `limit ${limit}`, x: [0, times.at(-1) ?? 1], y: [limit, limit], dash: "dash" },
        ],
        { xTitle: "time, s", yTitle: "connections" },
      ),
    );
    await Promise.all(read.map((each) => each.close()));
    await crowd.close();
    left = await remains(lab, port, server);
  });

  const served = () => ends.filter((each) => wasServed(each, answer));

  it("never more than the limit", 2, () => {
    that(served().length > 0, {
      did: `${clients} clients connected at once`,
      expected: "the server answers some of them, and closes their connections",
      measured: "none",
    });
    const most = Math.max(...looks.map(({ accepted }) => accepted));
    that(most <= limit, {
      did: `${clients} clients connected at once, and the check counted the accepted connections in the kernel's table`,
      expected: `at most ${limit}`,
      measured: String(most),
      read: "notebook 09, The semaphore",
    });
  });
  it("every client is answered, after the work", 2, () => {
    const other = otherText(ends, answer);
    const rejected = ends.filter((each) => ["closed", "reset"].includes(each.end)).length - served().length;
    that(served().length === clients, {
      did: `The check counted the clients at the end, and read the bytes of ${some}`,
      expected: `all ${clients} have received ${answer}, and the server's FIN`,
      measured:
        other === undefined
          ? `${served().length} have both, ${rejected} were closed or reset without an answer`
          : `one of them read ${other}`,
    });
    const waited = lastWaited(looks);
    const early = served().filter(({ localPort, connectAt, answeredAt }) => {
      // it was accepted after both of these moments
      const accepted = Math.max(connectAt, waited.get(localPort) ?? -Infinity);
      // timers may fire 1 ms early
      return answeredAt - accepted < handleMs - 2;
    }).length;
    that(early === 0, {
      did: "The check read in the kernel's table how long each client waited, and measured the time from then on",
      expected: `${handleMs} ms of handling before the answer and the end of the connection`,
      measured: `${early} clients had less`,
    });
  });
  it("the limit is used", 2, () => {
    const busy = looks.filter(({ waiting }) => waiting.length > 0);
    const used = busy.filter(({ accepted }) => accepted >= limit - 1).length;
    // where no client ever waits, the limit must have been reached once
    const share = busy.length > 0 ? used / busy.length : Number(looks.some(({ accepted }) => accepted >= limit));
    that(served().length > 0 && share >= 0.5, {
      did: "The check counted the accepted connections while clients waited in the accept queue",
      expected: `${limit}, or one less, at least half of the time`,
      measured: `${Math.round(share * 100)} % of the time`,
    });
  });
  it("ends when the signal is aborted", 1, () => {
    that(left === "", remainsStory(left));
  });
});
