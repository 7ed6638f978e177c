/** A server that runs out of descriptors: what its clients see, and what it costs to try again at once. */
import { inLab } from "../claims/experiment";
import { LabError } from "../errors";
import type { Lab } from "../front-door";
import type { Program } from "../lab/program";
import { programFile } from "../server/programs";
import { formatCount, formatPercent } from "../wording/number";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const clients = 200;
const limit = 64;
const port = 8080;
const backlog = 256;

/** A line of JSON that programs/limited_server.py prints ten times per second. */
interface Report {
  /** connections accepted and held */
  accepted: number;
  /** times that accept() has failed with EMFILE */
  failures: number;
  /** seconds since the first failure */
  seconds: number;
  /** share of a core since then, 0 to 1 */
  cpu: number;
}

interface Exhausted extends Report {
  /** seconds that the server pauses after EMFILE */
  pause: number;
  clients: number;
  /** clients whose socket is ESTABLISHED */
  established: number;
  /** clients that were refused or reset */
  refused: number;
  /** connections in the accept queue at the end */
  waiting: number;
  failuresPerSecond: number;
}

/** What the server reports as it runs. */
class Reports {
  latest: Report = { accepted: 0, failures: 0, seconds: 0, cpu: 0 };
  errors = "";
  /** it listens, or has ended */
  readonly listening: Promise<unknown>;
  private rest = "";

  constructor({ stdout, stderr, exited }: Program) {
    stderr.on("data", (part) => (this.errors += String(part)));
    const listening = new Promise<void>((resolve) => {
      stdout.on("data", (part) => {
        const lines = (this.rest + String(part)).split("\n");
        this.rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line.startsWith("{")) this.latest = JSON.parse(line) as Report;
          if (line === "listening") resolve();
        }
      });
    });
    this.listening = Promise.race([listening, exited]);
  }

  get failuresPerSecond(): number {
    const { failures, seconds } = this.latest;
    return seconds > 0 ? failures / seconds : 0;
  }
}

function whileItRuns(how: string, reports: Reports, waiting: number, most: number): Panel {
  const { accepted, cpu } = reports.latest;
  return {
    title: `descriptors: limit ${limit}, ${clients} clients; the server ${how}`,
    meters: [
      { label: "ACCEPTED", note: `limit ${limit} descriptors`, value: accepted, of: clients, colour: "accepted" },
      { label: "ACCEPT QUEUE", note: "ESTABLISHED, not accepted", value: waiting, of: clients, colour: "acceptQueue" },
      {
        label: "EMFILE PER SECOND",
        note: "accept() fails",
        value: reports.failuresPerSecond,
        of: most,
        colour: "drops",
      },
      { label: "CPU, % OF A CORE", note: "of the accept loop", value: 100 * cpu, of: 100, colour: "other" },
    ],
  };
}

async function outOfDescriptors(stage: Stage, lab: Lab, pause: number, seconds: number): Promise<Exhausted> {
  const how = pause > 0 ? `pauses ${1000 * pause} ms after EMFILE` : "tries again at once after EMFILE";
  const args = [port, backlog, pause, seconds].map(String);
  const program = await lab.spawn("python3", [programFile("limited_server.py"), ...args], {
    limits: { nofile: limit },
  });
  const reports = new Reports(program);
  let waiting = 0;
  let most = 1;
  const look = (): Panel => {
    // once the server has ended, its queue is gone: the last length stays
    waiting = lab.sockets({ port, states: ["LISTEN"] }).at(0)?.receiveQueue ?? waiting;
    most = Math.max(most, reports.failuresPerSecond);
    return whileItRuns(how, reports, waiting, most);
  };
  stage.renew();
  stage.say(`The server may have ${limit} descriptors and ${how}. ${clients} clients connect.`);
  await stage.during(reports.listening, look);
  const crowd = await stage.during(lab.connect(port, { clients, quiet: 100 }), look);
  const { established, refused, reset } = crowd.counts();
  await stage.during(program.exited, look);
  const { latest, failuresPerSecond } = reports;
  if (latest.seconds === 0)
    throw new LabError("The server ended before it ran out of descriptors.", {
      code: "ERR_SERVER",
      hint: reports.errors.trim() || "It printed no error.",
    });
  const exhausted = { pause, clients, established, refused: refused + reset, waiting, ...latest, failuresPerSecond };
  stage.say(
    `The server ${how}: ${latest.accepted} accepted, ${waiting} in the accept queue, ${formatCount(failuresPerSecond)} failures per second, ${formatPercent(latest.cpu)} of a core.`,
  );
  await stage.hold(look, 500 * seconds);
  await stage.curtain(pause > 0 ? "Side by side?" : "A server that pauses?", look);
  await crowd.close();
  await program.close();
  return exhausted;
}

function sideBySide(retry: Exhausted, pause: Exhausted): Panel {
  const cpu = (each: Exhausted) => ({ note: "CPU, % of a core", value: 100 * each.cpu, of: 100 });
  return {
    title: `descriptors: limit ${limit}, ${clients} clients`,
    meters: [
      { label: "ACCEPTED", note: `of ${clients} clients`, value: retry.accepted, of: clients, colour: "accepted" },
      {
        label: "ACCEPT QUEUE",
        note: "ESTABLISHED, not accepted",
        value: retry.waiting,
        of: clients,
        colour: "acceptQueue",
      },
      { label: "TRIES AGAIN AT ONCE", ...cpu(retry), colour: "drops" },
      { label: `PAUSES ${1000 * pause.pause} ms`, ...cpu(pause), colour: "accepted" },
    ],
  };
}

const kernel = "alloc_fd(), which accept4() calls before it looks at the accept queue";

/** `one-listener demo descriptors`: a process limit of 64 descriptors, 200 clients, and two ways to go on after EMFILE. */
export const descriptors: Demo = {
  name: "descriptors",
  title: "Out of descriptors",
  sentence: `A server with ${limit} descriptors and ${clients} clients: no client is refused, and an accept loop that tries again at once uses a whole core.`,
  takes: 10,
  seconds: 3,
  notebook: "06 · Out of descriptors",
  run: (stage, { seconds }) =>
    inLab({ wire: false, sysctls: { "net.core.somaxconn": 4096 } }, async (lab) => {
      const retry = await outOfDescriptors(stage, lab, 0, seconds);
      const pause = await outOfDescriptors(stage, lab, 0.1, seconds);
      const result = [
        `${retry.established} of ${clients} clients were ESTABLISHED. The server accepted ${retry.accepted}; ${retry.waiting} waited in the accept queue without an answer; ${retry.refused} were refused.`,
        `accept() failed with EMFILE and took no connection from the queue, so epoll reported the queue again at once: ${formatCount(retry.failuresPerSecond)} times per second, ${formatPercent(retry.cpu)} of a core. With a pause of ${1000 * pause.pause} ms after each failure it was ${formatPercent(pause.cpu)}.`,
      ];
      stage.renew();
      const outcome = { numbers: { clients, limit, retry, pause }, result, kernel };
      stage.conclude(sideBySide(retry, pause), outcome, descriptors.notebook);
      return outcome;
    }),
};
