import { plot } from "one-listener";
import { defineCheck, listening, msUntil, readers, remains, remainsStory, type Reader } from "one-listener/exercise";

const port = 8080;
const clients = 20;
const hello = "hello\n";

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  const backlog = integer(20, 90);
  let listeners = 0;
  let limit = 0;
  let read: Reader[] = [];
  let left = "no socket listened on the port before";

  before(`listen(${backlog}), then ${clients} clients`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, backlog });
    const [listener, ...more] = await listening(lab, port, server);
    if (!listener) return;
    listeners = 1 + more.length;
    limit = listener.sendQueue;
    const recording = await lab.record(port, { live: false, counters: [] });
    // one client every 2 ms
    const delays = Array.from({ length: clients }, (_, at) => 2 * at);
    read = readers(lab, port, delays);
    await msUntil(() => read.every(({ over }) => over), 1500);
    picture(plot.queueDepth(await recording.stop()));
    await Promise.all(read.map((each) => each.close()));
    left = await remains(lab, port, server);
  });

  it("listens on the port", 1, () => {
    that(listeners === 1, {
      did: `The check called your function with port ${port}`,
      expected: "one listening socket on this port",
      measured: `${listeners} in the Lab's table of sockets`,
      read: "notebook 01, What does a listener cost?",
    });
  });
  it("listens with the backlog that it was given", 1, () => {
    that(limit === backlog, {
      did: "The check read the queue limit of the listener (Send-Q in ss)",
      expected: `the backlog of ${backlog}`,
      measured: String(limit),
      read: "notebook 01, What ss -ltn shows",
    });
  });
  it("says hello to every client", 2, () => {
    const right = read.filter(({ text }) => text === hello).length;
    const other = read.find(({ text }) => text !== hello)?.text.slice(0, 100);
    that(right === clients, {
      did: `${clients} clients connected and read`,
      expected: `each client reads ${JSON.stringify(hello)}`,
      measured: `${right} clients read it${other === undefined ? "" : `, another client read ${JSON.stringify(other)}`}`,
      read: "notebook 01, Does the listener carry data?",
    });
  });
  it("closes each connection", 1, () => {
    const closed = read.filter(({ end }) => end === "closed").length;
    that(closed === clients, {
      did: `${clients} clients connected`,
      expected: "the server closes each connection (FIN)",
      measured: `the server closed ${closed} connections`,
    });
  });
  it("stops listening when the signal is aborted", 1, () => {
    that(left === "", remainsStory(left));
  });
});
