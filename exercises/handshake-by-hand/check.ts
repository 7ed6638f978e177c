import { plot, type Listener } from "one-listener";
import { defineCheck, msUntil } from "one-listener/exercise";

const port = 8080;

/** What the first connection in the accept queue brings; "" if there is none, or if it brings nothing. */
async function firstMessage(listener: Listener): Promise<string> {
  const connection = listener.tryAccept();
  const data = await connection?.read({ timeout: 300 }).catch(() => null);
  await connection?.close();
  return data?.toString() ?? "";
}

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const message = `knock ${integer(100, 999)}`;
  let handshakes = 0;
  let connectCalls = 0;
  let established = false;
  let text = "";
  let requests = 0;

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
    connectCalls = moved.get("Tcp.ActiveOpens");
    requests = listener.synQueue;
    established = lab.sockets({ port, states: ["ESTABLISHED"] }).length > 0;
    text = await firstMessage(listener);
    picture(plot.queueDepth(await recording.stop()));
    await run.stop();
  });

  const withoutSocket = () => {
    that(connectCalls === 0, {
      did: "The kernel counted the connect() calls in the Lab (Tcp.ActiveOpens)",
      expected: "none: the client consists of segments only",
      measured: String(connectCalls),
      read: "notebook 02, One: SYN",
    });
  };
  it("the client is not a kernel socket", 1, () => {
    that(established || requests > 0, {
      did: "Your function returned",
      expected: "the listener has received your SYN",
      measured: "the kernel has neither a request nor a connection",
    });
    withoutSocket();
  });
  it("the connection is ESTABLISHED", 3, () => {
    withoutSocket();
    that(established, {
      did: "Your function returned",
      expected: "one connection in the accept queue",
      measured: `${handshakes} complete handshakes, and ${requests} half-open requests that wait for an ACK`,
      read: "notebook 02, Three: ACK",
    });
  });
  it("the message arrives", 2, () => {
    withoutSocket();
    that(text === message, {
      did: "The check accepted the connection and read from it",
      expected: JSON.stringify(message),
      measured: JSON.stringify(text),
      read: "notebook 02, Three: ACK",
    });
  });
});
