import { arrivals, plot } from "one-listener";
import {
  defineCheck,
  msUntil,
  otherText,
  RecordedClients,
  remains,
  remainsStory,
  theListener,
  wasServed,
  type ClientEnd,
} from "one-listener/exercise";

const port = 8080;
/** within 1 s */
const clients = 200;
const backlog = 256;
/** connections in the accept queue: what comes in 0.2 s, so that a server on a busy machine may stop for so long */
const short = 40;
/** how many of the clients are readers */
const some = 6;
const answer = "done";

export default defineCheck(({ before, it, that, lab: openLab, start, picture, integer }) => {
  const handleMs = integer(45, 60);
  let peak = 0;
  let ends: ClientEnd[] = [];
  let left = "";

  before(`${clients} clients in 1 s, ${handleMs} ms of work for each`, async () => {
    const lab = await openLab({ wire: false });
    const server = await start(lab, { port, backlog, handleMs });
    await theListener(lab, port, server);
    const connected = await RecordedClients.connect(
      lab,
      port,
      { clients: clients - some, schedule: arrivals.constant(clients - some, clients - some), quiet: 200 },
      Array.from({ length: some }, () => integer(0, 900)),
    );
    await msUntil(() => connected.served, 500);
    const { trace, ...outcome } = await connected.end();
    ends = outcome.ends;
    peak = trace.summary().get("acceptQueue").max;
    picture(plot.queueDepth(trace, { predictions: [{ question: "a short queue", value: short }] }));
    left = await remains(lab, port, server);
  });

  const served = () => ends.filter((each) => wasServed(each, answer));

  it("the accept queue stays short", 2, () => {
    that(
      ends.some(({ bytes }) => bytes > 0),
      { did: `${clients} clients connected within 1 s`, expected: "the server answers some of them", measured: "none" },
    );
    that(peak <= short, {
      did: `${clients} clients connected within 1 s`,
      expected: `never more than ${short} connections in the accept queue`,
      measured: `up to ${peak}`,
      read: "notebook 05, Little's law",
    });
  });
  it("every client is answered in time", 2, () => {
    const other = otherText(ends, answer);
    that(served().length === clients, {
      did: `The check looked at the clients 500 ms after the last one came, and read the bytes of ${some}`,
      expected: `all ${clients} have received ${answer}, and the server's FIN`,
      measured: other === undefined ? `${served().length} have both` : `one of them read ${other}`,
    });
  });
  it("the work is done for every client", 2, () => {
    // a client is connected while it waits in the queue, too: the server cannot have worked for it longer than this
    const stays = served()
      .map(({ connectAt, answeredAt }) => answeredAt - connectAt)
      .sort((one, other) => one - other);
    // timers may fire 1 ms early
    const early = stays.filter((ms) => ms < handleMs - 2).length;
    const median = stays[stays.length >> 1] ?? NaN;
    that(stays.length > 0 && early === 0, {
      did: "The check measured the time from each client's connect() to its answer, or to the end of its connection",
      expected: `at least the ${handleMs} ms of work`,
      measured:
        stays.length === 0 ? "no client was answered" : `${early} took less; the median is ${median.toFixed(1)} ms`,
    });
  });
  it("ends when the signal is aborted", 1, () => {
    that(left === "", remainsStory(left));
  });
});
