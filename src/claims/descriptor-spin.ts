/** Claim 63: an accept loop that goes on after any error. */
import { ArgumentError } from "../errors";
import { formatNumber } from "../trace/quantity";
import { claim } from "./claim";
import { amount, count } from "./evidence";
import { inLab } from "./experiment";

const port = 8080;
export const spinSeconds = 1;

/** The text's loop, `if err != nil { continue }`, over a level-triggered epoll, as a server of its own. */
export const continuingServer = `import errno, json, select, socket, time
listener = socket.create_server(("127.0.0.1", ${port}), backlog=128)
listener.setblocking(False)
epoll = select.epoll()
epoll.register(listener, select.EPOLLIN)          # level-triggered, the default
print("listening", flush=True)
held, wakeups, errors, began = [], 0, 0, None
while began is None or time.monotonic() - began < ${spinSeconds}:
    epoll.poll(0.1)
    wakeups += began is not None
    try:
        held.append(listener.accept()[0])
    except BlockingIOError:
        pass
    except OSError as error:
        if error.errno != errno.EMFILE: raise
        errors += 1
        if began is None: began, cpu = time.monotonic(), time.process_time()
        continue                                  # "retry on any error"
seconds = time.monotonic() - began
print(json.dumps({"accepted": len(held), "wakeups": wakeups, "errors": errors, "cpu": (time.process_time() - cpu) / seconds, "seconds": seconds}), flush=True)`;

export interface SpinResult {
  accepted: number;
  wakeups: number;
  errors: number;
  /** share of a core */
  cpu: number;
  seconds: number;
}

const limit = 40;

async function spin() {
  return inLab({ wire: false }, async (lab) => {
    const program = await lab.spawn("python3", ["-c", continuingServer], { limits: { nofile: limit } });
    await new Promise((resolve) => program.stdout.once("data", resolve).once("end", resolve));
    const clients = await lab.connect(port, { clients: 2 * limit, quiet: 100 });
    const { stdout } = await program.output();
    await clients.close();
    const { wakeups, cpu, seconds, accepted } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as SpinResult;
    return { clients: 2 * limit, limit, accepted, wakeupsPerSecond: wakeups / seconds, cpu };
  });
}

export const retryOnAnyError = claim({
  number: 63,
  section: "Part 6",
  statement: "When accept() fails, trying again at once is fine.",
  quote: "if err != nil { continue }",
  notebook: "06",
  evidence: {
    clients: count("clients that connected"),
    limit: count("descriptors that the server may have"),
    accepted: count("connections that it accepted"),
    wakeupsPerSecond: amount("times a second that its loop turned without getting anywhere"),
    cpu: amount("share of a core that this took, 1 is all of it"),
  },
  experiment: (once) => once(spin),
  judge({ clients, limit, accepted, wakeupsPerSecond, cpu }) {
    if (clients <= accepted) throw new ArgumentError("The server has not run out of descriptors.", "Let more clients come, or lower its limit.");
    const measured = `${limit} descriptors, ${accepted} of ${clients} accepted; then ${formatNumber(Math.round(wakeupsPerSecond))} turns a second, ${(100 * cpu).toFixed(0)} % of a core`;
    const kernel = "inet_csk_accept()";
    if (cpu > 0.5) return { verdict: "false", measured, why: "EMFILE does not go away by asking again: the connection stays in the queue, epoll reports it at once, and the loop spins. Pause, free a descriptor, or shed the load.", kernel };
    return { verdict: "holds", measured, why: "It cost next to nothing.", kernel };
  },
});
