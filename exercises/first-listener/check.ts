import { defineCheck, listening as listenersOn, msUntil, readers, remains } from "one-listener/exercise";
import { plot } from "one-listener";

const hello = "hello\n";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const clients = 20;
  const backlog = integer(20, 90);
  let listening = 0;
  let maximum = 0;
  let answered = 0;
  let other: string | undefined;
  let ended = 0;
  let left = "there was no listener before";

  before(`listen(${backlog}), then ${clients} clients`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, backlog });
    const listeners = await listenersOn(lab, port, server);
    listening = listeners.length;
    if (listening === 0) return;
    maximum = listeners[0].sendQueue;
    const recording = await lab.record(port, { live: false, counters: [] });
    const all = readers(
      lab,
      port,
      Array.from({ length: clients }, (_, at) => 2 * at),
    );
    await msUntil(() => all.every(({ over }) => over), 1500);
    picture(plot.queueDepth(await recording.stop()));
    answered = all.filter(({ text }) => text === hello).length;
    other = all.find(({ text }) => text !== hello)?.text;
    ended = all.filter(({ end }) => end === "closed").length;
    for (const each of all) each.close();
    left = await remains(lab, port, server);
  });

  it("listens on the port", 1, () => {
    that(listening === 1, {
      did: `Your function was started with port ${port}`,
      expected: "one listener on it",
      measured: `${listening} in the Lab's table of sockets`,
      read: "notebook 01, What does a listener cost?",
    });
  });
  it("asks for the backlog it was given", 1, () => {
    that(maximum === backlog, {
      did: `The kernel was asked for the listener's maximum (Send-Q of ss)`,
      expected: `the backlog of ${backlog}`,
      measured: String(maximum),
      read: "notebook 01, What ss -ltn shows",
    });
  });
  it("says hello to everybody", 2, () => {
    that(answered === clients, {
      did: `${clients} clients connected, and read`,
      expected: `${JSON.stringify(hello)} for each`,
      measured: `${answered} of them read just that${other === undefined ? "" : `, another one ${JSON.stringify(other.slice(0, 100))}`}`,
      read: "notebook 01, Does the listener carry data?",
    });
  });
  it("closes each connection", 1, () => {
    that(ended === clients, {
      did: `${clients} clients connected`,
      expected: "the server closes each connection (FIN)",
      measured: `${ended} were closed by the server`,
    });
  });
  it("stops listening when it is told to", 1, () => {
    that(left === "", {
      did: "The signal was aborted",
      expected: "no listener is left, and your function has returned",
      measured: left,
    });
  });
});
