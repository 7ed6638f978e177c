/** A server that runs out of descriptors: what its clients see, and what asking again at once costs. */
import { inLab } from "../claims/experiment";
import type { Lab } from "../front-door";
import { LabError } from "../errors";
import { formatCount, formatPercent } from "../wording/number";
import type { Demo } from "./demo";
import type { Panel } from "./panel";
import type { Stage } from "./stage";

const clients = 200;
const limit = 64;
const port = 8080;
const backlog = 256;

/** An accept loop over a level-triggered epoll; on EMFILE it goes on at once, or pauses. It tells ten times a second how it is. */
function server(pause: number, seconds: number): string {
  return `import errno, json, select, socket, time
listener = socket.create_server(("127.0.0.1", ${port}), backlog=${backlog})
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)          # level-triggered, the default
print("listening", flush=True)
held, errors, began, told = [], 0, None, 0
while began is None or time.monotonic() - began < ${seconds}:
    epoll.poll(0.1)
    try:
        held.append(listener.accept()[0])
    except BlockingIOError:
        pass
    except OSError as error:
        if error.errno != errno.EMFILE: raise
        errors += 1
        if began is None: began, cpu = time.monotonic(), time.process_time()
        ${pause > 0 ? `time.sleep(${pause})` : "pass                                      # try again at once"}
    now = time.monotonic()
    if began is not None and now - told > 0.1:
        told = now
        print(json.dumps({"accepted": len(held), "failures": errors, "seconds": now - began, "cpu": (time.process_time() - cpu) / max(now - began, 1e-3)}), flush=True)
seconds = time.monotonic() - began
print(json.dumps({"accepted": len(held), "failures": errors, "seconds": seconds, "cpu": (time.process_time() - cpu) / seconds}), flush=True)`;
}

interface Told {
  accepted: number;
  /** times that accept() has failed with EMFILE */
  failures: number;
  /** since the first failure */
  seconds: number;
  /** share of a core since then */
  cpu: number;
}

interface Exhausted extends Told {
  /** seconds that it pauses after EMFILE */
  pause: number;
  clients: number;
  /** clients that believe to be connected */
  believe: number;
  /** clients that were refused or reset */
  refused: number;
  /** in the accept queue, unaccepted */
  waiting: number;
  failuresPerSecond: number;
}

async function outOfDescriptors(stage: Stage, lab: Lab, pause: number, seconds: number): Promise<Exhausted> {
  const how = pause > 0 ? `pauses ${1000 * pause} ms after EMFILE` : "tries again at once after EMFILE";
  const program = await lab.spawn("python3", ["-c", server(pause, seconds)], { limits: { nofile: limit } });
  let told: Told = { accepted: 0, failures: 0, seconds: 0, cpu: 0 };
  let errors = "";
  let rest = "";
  program.stderr.on("data", (part) => (errors += String(part)));
  const listening = new Promise<void>((resolve) => {
    program.stdout.on("data", (part) => {
      const lines = (rest + String(part)).split("\n");
      rest = lines.pop()!;
      for (const text of lines) {
        if (text.startsWith("{")) told = JSON.parse(text) as Told;
        if (text === "listening") resolve();
      }
    });
  });
  const queued = () => lab.sockets({ port, states: ["LISTEN"] })[0]?.receiveQueue;
  let waiting = 0;
  let most = 1;
  const look = (): Panel => {
    waiting = queued() ?? waiting;
    const failing = told.seconds > 0 ? told.failures / told.seconds : 0;
    most = Math.max(most, failing);
    return {
      title: `descriptors: ${limit} of them, ${clients} clients; the server ${how}`,
      meters: [
        {
          label: "ACCEPTED",
          note: `a process of ${limit} descriptors`,
          value: told.accepted,
          of: clients,
          colour: "accepted",
        },
        {
          label: "ACCEPT QUEUE",
          note: "connected, and nobody answers",
          value: waiting,
          of: clients,
          colour: "acceptQueue",
        },
        { label: "EMFILE A SECOND", note: "accept() fails", value: failing, of: most, colour: "drops" },
        { label: "CPU, % OF A CORE", note: "of the accept loop", value: 100 * told.cpu, of: 100, colour: "other" },
      ],
    };
  };
  stage.renew();
  stage.say(`A server that may have ${limit} descriptors and ${how}; ${clients} clients come.`);
  await stage.during(Promise.race([listening, program.exited]), look);
  const crowd = await stage.during(lab.connect(port, { clients, quiet: 100 }), look);
  const { established: believe, refused, reset } = crowd.counts();
  await stage.during(program.exited, look);
  if (told.seconds === 0) throw new LabError(`The server has ended early. ${errors.trim()}`, { code: "ERR_SERVER" });
  const exhausted = {
    pause,
    clients,
    believe,
    refused: refused + reset,
    waiting,
    ...told,
    failuresPerSecond: told.failures / told.seconds,
  };
  stage.say(
    `It ${how}: ${told.accepted} accepted, ${waiting} left waiting, ${formatCount(exhausted.failuresPerSecond)} failures a second, ${formatPercent(told.cpu)} of a core.`,
  );
  await stage.hold(look, 500 * seconds);
  await stage.curtain(pause > 0 ? "Side by side?" : "A server that pauses?", look);
  await crowd.close();
  await program.close();
  return exhausted;
}

const kernel = "alloc_fd(), which accept4() calls before it looks into the queue";

export const descriptors: Demo = {
  name: "descriptors",
  title: "Out of descriptors",
  sentence: `A server of ${limit} descriptors and ${clients} clients: nobody is refused, and an accept loop that tries again at once burns a core.`,
  takes: 10,
  seconds: 3,
  notebook: "06 · Out of descriptors",
  run: (stage, { seconds }) =>
    inLab({ wire: false, sysctls: { "net.core.somaxconn": 4096 } }, async (lab) => {
      const retry = await outOfDescriptors(stage, lab, 0, seconds);
      const pause = await outOfDescriptors(stage, lab, 0.1, seconds);
      const result = [
        `${retry.believe} of ${clients} clients were connected, ${retry.accepted} accepted, and ${retry.waiting} waited in the accept queue, connected and unheard; ${retry.refused} were refused.`,
        `accept() failed with EMFILE, took nothing from the queue, and epoll reported it again at once: ${formatCount(retry.failuresPerSecond)} times a second, ${formatPercent(retry.cpu)} of a core. Pausing ${1000 * pause.pause} ms each time: ${formatPercent(pause.cpu)}.`,
      ];
      const panel: Panel = {
        title: `descriptors: ${limit} of them, and ${clients} clients`,
        meters: [
          { label: "ACCEPTED", note: `of ${clients} clients`, value: retry.accepted, of: clients, colour: "accepted" },
          {
            label: "LEFT WAITING",
            note: "connected, and nobody answers",
            value: retry.waiting,
            of: clients,
            colour: "acceptQueue",
          },
          { label: "TRIES AGAIN AT ONCE", note: "CPU, % of a core", value: 100 * retry.cpu, of: 100, colour: "drops" },
          {
            label: `PAUSES ${1000 * pause.pause} ms`,
            note: "CPU, % of a core",
            value: 100 * pause.cpu,
            of: 100,
            colour: "accepted",
          },
        ],
      };
      stage.renew();
      const outcome = { numbers: { clients, limit, retry, pause }, result, kernel };
      stage.conclude(panel, outcome, descriptors.notebook);
      return outcome;
    }),
};
