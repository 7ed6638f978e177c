import { defineCheck, msUntil } from "one-listener/exercise";
import { plot } from "one-listener";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const message = `knock ${integer(100, 999)}`;
  let handshakes = 0;
  let sockets = 0;
  let established = false;
  let text = "";
  let syns = 0;

  before("your segments, and what the kernel makes of them", async () => {
    const lab = await openLab();
    const listener = await lab.listen({ port, backlog: 8 });
    const recording = await lab.record(listener, { live: false });
    const counters = lab.counters();
    const run = await start(lab, { port, message }, { rights: { look: true, wire: true } });
    await run.answer;
    await msUntil(() => listener.acceptQueue > 0, 300);
    const moved = lab.counters().since(counters);
    handshakes = moved.get("Tcp.PassiveOpens");
    sockets = moved.get("Tcp.ActiveOpens");
    syns = listener.synQueue;
    const waiting = lab.sockets({ port, states: ["ESTABLISHED"] });
    established = waiting.length > 0;
    const connection = listener.tryAccept();
    if (connection) text = String((await connection.read({ timeout: 300 }).catch(() => null)) ?? "");
    picture(plot.queueDepth(await recording.stop()));
    await run.stop();
  });

  const byHand = () =>
    that(sockets === 0, {
      did: "The kernel counted connect() calls in the Lab (Tcp.ActiveOpens)",
      expected: "none: the client is made of segments alone",
      measured: String(sockets),
      read: "notebook 02, One: SYN",
    });
  it("no socket of the kernel's is the client", 1, () => {
    that(established || syns > 0, {
      did: "Your function returned",
      expected: "a SYN of yours has reached the listener",
      measured: "neither a request nor a connection is there",
    });
    byHand();
  });
  it("the connection is ESTABLISHED", 3, () => {
    byHand();
    that(established, {
      did: "Your function returned",
      expected: "one connection in the accept queue",
      measured: `${handshakes} handshakes were completed, and ${syns} requests wait in the SYN queue for an ACK`,
      read: "notebook 02, Three: ACK",
    });
  });
  it("the message arrives", 2, () => {
    byHand();
    that(text === message, {
      did: "The connection was accepted and read",
      expected: JSON.stringify(message),
      measured: JSON.stringify(text),
      read: "notebook 02, Three: ACK",
    });
  });
});
