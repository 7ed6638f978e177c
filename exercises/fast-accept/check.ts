import { arrivals, plot } from "one-listener";
import { defineCheck, listening, msUntil } from "one-listener/exercise";

export default defineCheck(({ before, it, that, lab: openLab, start, picture }) => {
  const port = 8080;
  const clients = 5000;
  let answered = 0;
  let outside = 0;
  let failed = 0;
  let overflows = 0;
  let peak = 0;
  let room = 0;

  before(`${clients.toLocaleString("en")} clients within 0.2 s`, async () => {
    const lab = await openLab({ wire: false, sysctls: { "net.core.somaxconn": 4096 } });
    const server = await start(lab, { port });
    const listeners = await listening(lab, port, server);
    that(listeners.length > 0, { did: "Your function was started", expected: "a listener within 3 s", measured: "none" });
    room = listeners[0].sendQueue + 1;
    const recording = await lab.record(port, { live: false });
    const counters = lab.counters();
    const crowd = await lab.connect(port, { clients, schedule: arrivals.spike(clients, 0, 200), quiet: 300 });
    // resends come after a second: who is not answered by now was outside
    await msUntil(() => crowd.counts().closedByServer === clients, 700);
    overflows = lab.counters().since(counters).get("TcpExt.ListenOverflows");
    for (let at = 0; at < clients; at++) {
      const { bytesReceived, state } = crowd.at(at);
      if (bytesReceived === 2) answered++;
      else if (state === "synSent") outside++;
      else failed++;
    }
    const trace = await recording.stop();
    peak = trace.summary().get("acceptQueue").max;
    picture(plot.overview(trace));
    await crowd.close();
    await server.stop();
  });

  it("the accept queue never overflows", 3, () => {
    that(overflows === 0, { did: `${clients.toLocaleString("en")} clients came within 0.2 s`, expected: "ListenOverflows stays where it is", measured: `it rose by ${overflows.toLocaleString("en")}; the queue was ${peak.toLocaleString("en")} long at most, and has room for ${room.toLocaleString("en")}`, read: "notebook 05, The spike of 5,000" });
  });
  it("nobody has to send a second SYN", 2, () => {
    that(outside === 0, { did: "The clients were counted after the spike", expected: "nobody is in SYN_SENT", measured: `${outside.toLocaleString("en")} are`, read: "notebook 04, The clients outside" });
  });
  it("everybody is answered", 3, () => {
    that(answered === clients, { did: "The bytes that each client received were counted", expected: `2 bytes (ok) for all ${clients.toLocaleString("en")}`, measured: `${answered.toLocaleString("en")} have them, ${failed.toLocaleString("en")} are connected or closed without`, read: "notebook 05, The spike of 5,000" });
  });
});
