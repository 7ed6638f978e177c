import { defineCheck, listening as listenersOn, msUntil } from "one-listener/exercise";
import { plot } from "one-listener";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const port = 8080;
  const clients = 20;
  const backlog = integer(20, 90);
  let listening = 0;
  let maximum = 0;
  let answered = 0;
  let ended = 0;
  let left = 0;

  before(`listen(${backlog}), then ${clients} clients`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, backlog });
    const listeners = await listenersOn(lab, port, server);
    listening = listeners.length;
    if (listening === 0) return;
    maximum = listeners[0].sendQueue;
    const recording = await lab.record(port, { live: false, counters: [] });
    const crowd = await lab.connect(port, { clients });
    await msUntil(() => crowd.counts().closedByServer === clients, 1500);
    picture(plot.queueDepth(await recording.stop()));
    for (let at = 0; at < clients; at++) if (crowd.at(at).bytesReceived === "hello\n".length) answered++;
    ended = crowd.counts().closedByServer;
    await server.stop();
    await msUntil(() => lab.sockets({ port, states: ["LISTEN"] }).length === 0, 500);
    left = lab.sockets({ port, states: ["LISTEN"] }).length;
  });

  it("listens on the port", 1, () => {
    that(listening === 1, { did: `Your function was started with port ${port}`, expected: "one listener on it", measured: `${listening} in the Lab's table of sockets`, read: "notebook 01, What does a listener cost?" });
  });
  it("asks for the backlog it was given", 1, () => {
    that(maximum === backlog, { did: `The kernel was asked for the listener's maximum (Send-Q of ss)`, expected: `the backlog of ${backlog}`, measured: String(maximum), read: "notebook 01, What ss -ltn shows" });
  });
  it("says hello to everybody", 2, () => {
    that(answered === clients, { did: `${clients} clients connected`, expected: "6 bytes for each: hello and a line feed", measured: `${answered} of them got just that`, read: "notebook 01, Does the listener carry data?" });
  });
  it("closes each connection", 1, () => {
    that(ended === clients, { did: `${clients} clients connected`, expected: "the server closes each connection (FIN)", measured: `${ended} were closed by the server` });
  });
  it("stops listening when it is told to", 1, () => {
    that(listening === 1 && left === 0, { did: "The signal was aborted", expected: "no listener is left", measured: listening === 0 ? "there was none before either" : `${left} still there` });
  });
});
