import { arrivals, plot } from "one-listener";
import { defineCheck, listening, msUntil, Reader, readers, remains } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const clients = 5000;
  /** ms; so long that a machine that is busy otherwise lets the server run meanwhile, and too short for a loop that is slow */
  const spike = 400;
  /** of the clients, so many are read */
  const some = 5;
  let answered = 0;
  let open = 0;
  let read: Reader[] = [];
  let left = "";
  let outside = 0;
  let failed = 0;
  let overflows = 0;
  let peak = 0;
  let room = 0;

  before(`${clients.toLocaleString("en")} clients within ${spike / 1000} s`, async () => {
    const lab = await openLab({ wire: false, sysctls: { "net.core.somaxconn": 4096 } });
    const server = await start(lab, { port });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, {
      did: "Your function was started",
      expected: "a listener within 3 s",
      measured: "none",
    });
    room = listeners[0].sendQueue + 1;
    const recording = await lab.record(port, { live: false });
    const counters = lab.counters();
    read = readers(
      lab,
      port,
      Array.from({ length: some }, () => integer(0, spike - 10)),
    );
    const crowd = await lab.connect(port, {
      clients: clients - some,
      schedule: arrivals.spike(clients - some, 0, spike),
      quiet: 300,
    });
    const all = () => crowd.counts().closedByServer === crowd.length && read.every(({ over }) => over);
    // resends come after a second: who is not connected by now was outside
    await msUntil(all, 700);
    overflows = lab.counters().since(counters).get("TcpExt.ListenOverflows");
    outside = crowd.counts().synSent + read.filter(({ end }) => end === "outside").length;
    // whoever is inside may take a little longer on a busy machine
    if (outside === 0) await msUntil(all, 1500);
    for (let at = 0; at < crowd.length; at++) {
      const { bytesReceived, state } = crowd.at(at);
      if (bytesReceived === 2 && state === "closedByServer") answered++;
      else if (bytesReceived === 2) open++;
      else if (state !== "synSent") failed++;
    }
    for (const { text, end } of read) {
      if (text === "ok" && end === "closed") answered++;
      else if (text === "ok") open++;
      else if (end !== "outside") failed++;
    }
    const trace = await recording.stop();
    peak = trace.summary().get("acceptQueue").max;
    picture(plot.overview(trace));
    for (const each of read) each.close();
    await crowd.close();
    left = await remains(lab, port, server);
  });

  it("the accept queue never overflows", 3, () => {
    that(overflows === 0, {
      did: `${clients.toLocaleString("en")} clients came within ${spike / 1000} s`,
      expected: "ListenOverflows stays where it is",
      measured: `it rose by ${overflows.toLocaleString("en")}; the queue was ${peak.toLocaleString("en")} long at most, and has room for ${room.toLocaleString("en")}`,
      read: "notebook 05, The spike of 5,000",
    });
  });
  it("nobody has to send a second SYN", 1, () => {
    that(outside === 0, {
      did: "The clients were counted after the spike",
      expected: "nobody is in SYN_SENT",
      measured: `${outside.toLocaleString("en")} are`,
      read: "notebook 04, The clients outside",
    });
  });
  it("everybody is answered", 3, () => {
    const other = read.find(({ text }) => text !== "" && text !== "ok");
    that(answered === clients, {
      did: `The bytes of each client were counted, and those of ${some} were read`,
      expected: `ok, and then the server's FIN, for all ${clients.toLocaleString("en")}`,
      measured: other
        ? `one of them read ${JSON.stringify(other.text.slice(0, 100))}`
        : `${answered.toLocaleString("en")} have both, ${open.toLocaleString("en")} have their answer and are still connected, ${failed.toLocaleString("en")} have something else or nothing`,
      read: "notebook 05, The spike of 5,000",
    });
  });
  it("ends when it is told to", 1, () => {
    that(left === "", {
      did: "The signal was aborted",
      expected: "no listener is left, and your function has returned",
      measured: left,
    });
  });
});
