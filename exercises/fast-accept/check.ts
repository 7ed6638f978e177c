import { arrivals, plot } from "one-listener";
import {
  defineCheck,
  hasReceived,
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
const clients = 5000;
/** how many of the clients are readers */
const some = 5;
/** ms: long enough that on a busy machine the server runs in the meantime, and too short for a slow loop */
const burst = 400;
const answer = "ok";
const count = (value: number) => value.toLocaleString("en");

export default defineCheck(({ before, it, that, lab: openLab, start, integer, picture }) => {
  let ends: ClientEnd[] = [];
  let outside = 0;
  let overflows = 0;
  let peak = 0;
  let capacity = 0;
  let left = "";

  before(`${count(clients)} clients within ${burst / 1000} s`, async () => {
    const lab = await openLab({ wire: false, sysctls: { "net.core.somaxconn": 4096 } });
    const server = await start(lab, { port });
    capacity = (await theListener(lab, port, server)).sendQueue + 1;
    const counters = lab.counters();
    const connected = await RecordedClients.connect(
      lab,
      port,
      { clients: clients - some, schedule: arrivals.spike(clients - some, 0, burst), quiet: 300 },
      Array.from({ length: some }, () => integer(0, burst - 10)),
    );
    // clients retransmit after 1 s: one that is not connected by now was outside
    await msUntil(() => connected.served, 700);
    overflows = lab.counters().since(counters).get("TcpExt.ListenOverflows");
    outside = connected.outside;
    // the clients inside may need a little longer on a busy machine
    if (outside === 0) await msUntil(() => connected.served, 1500);
    const { trace, ...outcome } = await connected.end();
    ends = outcome.ends;
    peak = trace.summary().get("acceptQueue").max;
    picture(plot.overview(trace));
    left = await remains(lab, port, server);
  });

  it("the accept queue never overflows", 3, () => {
    that(overflows === 0, {
      did: `${count(clients)} clients connected within ${burst / 1000} s`,
      expected: "the counter ListenOverflows does not increase",
      measured: `it increased by ${count(overflows)}; the longest accept queue was ${count(peak)}, its capacity is ${count(capacity)}`,
      read: "notebook 05, The spike of 5,000",
    });
  });
  it("no client has to retransmit its SYN", 1, () => {
    that(outside === 0, {
      did: "The check counted the clients after the burst",
      expected: "none in SYN_SENT",
      measured: count(outside),
      read: "notebook 04, The clients outside",
    });
  });
  it("every client is answered", 3, () => {
    const served = ends.filter((each) => wasServed(each, answer)).length;
    const open = ends.filter((each) => each.end === "open" && hasReceived(each, answer)).length;
    const other = otherText(ends, answer);
    that(served === clients, {
      did: `The check counted the bytes of each client, and read those of ${some}`,
      expected: `${answer}, and then the server's FIN, for all ${count(clients)}`,
      measured:
        other === undefined
          ? `${count(served)} have both, ${count(open)} have the answer and no FIN, ${count(clients - served - open)} have something else or nothing`
          : `one of them read ${other}`,
      read: "notebook 05, The spike of 5,000",
    });
  });
  it("ends when the signal is aborted", 1, () => {
    that(left === "", remainsStory(left));
  });
});
