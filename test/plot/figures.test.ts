import assert from "node:assert/strict";
import fc from "fast-check";
import { plot, Trace } from "../../dist/index";
import { figureBundle } from "../../dist/plot/display";
import { figureHtml, scriptJson, updateHtml } from "../../dist/plot/page";

const { decimate } = plot;

/** A burst of 200 against a backlog of 128: 129 wait, 71 are dropped, then all are accepted. */
function burst(): Trace {
  return Trace.fromRows(
    {
      queues: [
        { time: 0, acceptQueue: 0, acceptMax: 128, synQueue: 0, accepted: 0 },
        { time: 300, acceptQueue: 129, acceptMax: 128, synQueue: 3, accepted: 0 },
        { time: 1800, acceptQueue: 0, acceptMax: 128, synQueue: 0, accepted: 129 },
        { time: 3000, acceptQueue: 71, acceptMax: 128, synQueue: 0, accepted: 129 },
      ],
      counters: [
        { time: 0, "TcpExt.ListenDrops": 0, "TcpExt.SyncookiesSent": 0 },
        { time: 310, "TcpExt.ListenDrops": 71, "TcpExt.SyncookiesSent": 0 },
      ],
      clients: [
        { time: 300, synSent: 71, established: 129 },
        { time: 3000, synSent: 0, established: 200 },
      ],
    },
    {
      meta: {
        startedAt: "2026-01-01T00:00:00.000Z",
        hz: 1000,
        kernel: "test",
        listener: { port: 8080, backlog: 128 },
        settings: { "net.ipv4.tcp_syncookies": 1 },
        samples: 3000,
        missed: 0,
        cpu: 1,
      },
      events: [
        { time: 300, name: "burst", detail: "200 <clients>" },
        { time: 1800, name: "drain" },
      ],
    },
  );
}

/** 1000 SYNs and silence against a backlog of 128. */
function flood(cookies: number, maxSynBacklog = 4096): Trace {
  const most = cookies === 0 ? Math.min(129, maxSynBacklog - Math.floor(maxSynBacklog / 4) + 1) : 129;
  return Trace.fromRows(
    {
      queues: [
        { time: 0, acceptQueue: 0, acceptMax: 128, synQueue: 0, accepted: 0 },
        { time: 10, acceptQueue: 0, acceptMax: 128, synQueue: most, accepted: 0 },
      ],
      counters: [
        { time: 0, "TcpExt.TCPReqQFullDoCookies": 0, "TcpExt.SyncookiesSent": 0, "TcpExt.SyncookiesRecv": 0 },
        { time: 5, "TcpExt.TCPReqQFullDoCookies": 402, "TcpExt.SyncookiesSent": 400, "TcpExt.SyncookiesRecv": 0 },
        { time: 10, "TcpExt.TCPReqQFullDoCookies": 871, "TcpExt.SyncookiesSent": 871, "TcpExt.SyncookiesRecv": 7 },
      ],
    },
    {
      meta: {
        ...burst().meta,
        settings: { "net.ipv4.tcp_syncookies": cookies, "net.ipv4.tcp_max_syn_backlog": maxSynBacklog },
      },
    },
  );
}

const json = (value: unknown) => JSON.stringify(value);

describe("decimation", () => {
  it("loses no peak and no end, and keeps within its bound", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 3000 }),
        fc.integer({ min: 8, max: 200 }),
        (values, most) => {
          const time = values.map((_, at) => at);
          const { x, y } = decimate(time, values, values.length, most);
          assert.ok(x.length <= most + 5 || values.length <= most);
          assert.equal(Math.max(...y), Math.max(...values));
          assert.equal(Math.min(...y), Math.min(...values));
          assert.equal(x[x.length - 1], values.length);
          assert.equal(y[y.length - 1], values[values.length - 1]);
          x.slice(1).forEach((moment, at) => assert.ok(moment >= x[at]));
        },
      ),
    );
  });
});

describe("figures", () => {
  it("of queue depth name the limit and the prediction, and say it in words", () => {
    const figure = plot.queueDepth(burst(), { predictions: [{ question: "how many?", value: 128 }] });
    assert.match(json(figure.layout), /min\(backlog, somaxconn\) \+ 1 = 129/);
    assert.match(json(figure.layout), /your prediction: 128/);
    assert.match(figure.text, /accept queue: at most 129 of 129/);
    assert.deepEqual(
      figure.data.map(({ name }) => name),
      ["accept queue", "SYN queue"],
    );
  });

  it("of counters show those that moved, or those asked for", () => {
    assert.deepEqual(
      plot.dropCounters(burst()).data.map(({ name }) => name),
      ["ListenDrops +71"],
    );
    assert.match(plot.dropCounters(burst()).text, /ListenDrops: \+71/);
  });

  it("of counters draw those that move together as one line, and each kind in its colour", () => {
    const { data } = plot.dropCounters(flood(1));
    assert.deepEqual(
      data.map(({ name }) => name),
      ["SyncookiesSent +871<br>= TCPReqQFullDoCookies", "SyncookiesRecv +7"],
    );
    const lines = data.map(({ line }) => line!);
    assert.equal(lines[0].color, lines[1].color);
    assert.notEqual(lines[0].dash, lines[1].dash);
    const drops = plot.dropCounters(burst()).data[0].line!;
    assert.notEqual(drops.color, lines[0].color);
  });

  it("of queue depth name what bounds the SYN queue, where it was filled", () => {
    assert.match(json(plot.queueDepth(flood(1)).layout), /= 129; the same bounds the SYN queue/);
    assert.match(plot.queueDepth(flood(1)).text, /SYN queue: at most 129, bounded by min\(backlog, somaxconn\)/);
    assert.match(json(plot.queueDepth(flood(0, 64)).layout), /¾ tcp_max_syn_backlog \+ 1 = 49/);
    // measured on the kernel, which rounds the quarter down that it subtracts
    for (const [setting, most] of [
      [127, 97],
      [128, 97],
      [129, 98],
      [130, 99],
      [131, 100],
      [132, 100],
    ])
      assert.match(json(plot.queueDepth(flood(0, setting)).layout), new RegExp(`tcp_max_syn_backlog \\+ 1 = ${most}"`));
    assert.doesNotMatch(json(plot.queueDepth(burst()).layout), /SYN queue/);
  });

  it("of queue depth say that the queues of several listeners are drawn as one", () => {
    const trace = Trace.fromRows(
      {
        queues: [{ time: 0, acceptQueue: 4, acceptMax: 13, synQueue: 3, accepted: 0 }],
        listeners: [{ time: 0, listeners: 2, fullest: 3, fullestMax: 5 }],
      },
      { meta: burst().meta },
    );
    const { data, text } = plot.queueDepth(trace);
    assert.deepEqual(
      data.map(({ name }) => name),
      ["accept queues of all 2 listeners", "accept queue of the fullest listener", "SYN queues of all 2 listeners"],
    );
    assert.match(text, /SYN queues of all 2 listeners: at most 3/);
    assert.match(text, /accept queues of all 2 listeners: at most 4 of 14/);
  });

  it("of clients show each state that occurs, stacked", () => {
    const figure = plot.clientStates(burst());
    assert.equal(figure.data.length, 2);
    assert.ok(figure.data.every(({ stackgroup }) => stackgroup === "clients"));
    assert.match(figure.text, /ESTABLISHED \(client side\): 200/);
  });

  it("overview: a panel for each that has something to show, one time axis", () => {
    const { data, layout } = plot.overview(burst());
    assert.deepEqual(new Set(data.map(({ yaxis }) => yaxis ?? "y")), new Set(["y", "y2", "y3"]));
    assert.ok("yaxis3" in layout && !("xaxis2" in layout));
  });

  it("two-stage: plays from the recording, with a slider, in under 150 KB", () => {
    const figure = plot.twoStage(burst());
    assert.ok(figure.frames!.length >= 60 && figure.frames!.length <= 125, `${figure.frames!.length} frames`);
    assert.ok(json(figure).length < 150_000, `${json(figure).length} bytes`);
    const accept = figure.frames!.map((frame) => (frame.data![1] as { x: number[] }).x[0]);
    assert.equal(Math.max(...accept), 129);
    assert.equal(accept[accept.length - 1], 71);
    const steps = figure.layout.sliders![0].steps!.map(({ label }) => Number(label));
    steps.slice(1).forEach((moment, at) => assert.ok(moment >= steps[at], `${moment} after ${steps[at]}`));
  });

  it("of a million samples stay small", () => {
    const length = 1_000_000;
    const time = Float64Array.from({ length }, (_, at) => at / 10);
    const column = (of: (at: number) => number) => Uint32Array.from({ length }, (_, at) => of(at));
    const columns = {
      acceptQueue: column((at) => (at * 7919) % 130),
      acceptMax: column(() => 128),
      synQueue: column((at) => at % 50),
      accepted: column((at) => at),
    };
    const trace = new Trace({ meta: burst().meta, tracks: { queues: { time, columns } } });
    const figure = plot.queueDepth(trace);
    assert.ok(json(figure).length < 100_000);
    assert.match(figure.text, /at most 129/);
  });
});

describe("displays", () => {
  it("carry html, plotly's own form and text, and never the library", () => {
    const bundle = figureBundle(plot.overview(burst()), "id");
    assert.deepEqual(Object.keys(bundle), ["text/html", "application/vnd.plotly.v1+json", "text/plain"]);
    assert.equal(typeof bundle["application/vnd.plotly.v1+json"], "object");
    assert.ok(String(bundle["text/html"]).length < 60_000);
    assert.match(String(bundle["text/plain"]), /accept queue/);
  });

  it("carry the page's script, which is small and ends where it should", () => {
    const script = String(figureHtml("id", { data: [], layout: {} }, "", undefined));
    assert.ok(script.length < 4000, `${script.length} characters without a figure`);
    assert.equal(script.split("</script>").length, 2);
    assert.doesNotMatch(script, /<!--/);
    assert.ok(String(updateHtml("id", { data: [], layout: {} })).length < 100);
  });

  it("let nothing out of a script or an element", () => {
    const evil = "</script><img src=x onerror=alert(1)>";
    assert.doesNotMatch(scriptJson({ evil }), /</);
    const figure = { data: [{ name: evil }], layout: {} };
    const html = [figureHtml("id", figure, evil, undefined), updateHtml("id", figure)].map(String).join("");
    assert.equal(html.split("</script>").length, 3);
    assert.doesNotMatch(html, /<img/);
  });

  it("refuse a prediction that is no number", () => {
    assert.throws(() => plot.predict("how many?", NaN), /A prediction is a number/);
  });
});

describe("figures of numbers", () => {
  it("heat map: each number in its field, in words as well", () => {
    const figure = plot.heatMap(
      [1, 128],
      [64, 4096],
      [
        [2, 49],
        [2, 129],
      ],
      { xTitle: "backlog", yTitle: "maximum", unit: "requests" },
    );
    const [{ text, z }] = figure.data as unknown as { text: string[][]; z: number[][] }[];
    assert.deepEqual(text, [
      ["2", "49"],
      ["2", "129"],
    ]);
    assert.ok(z[1][1] > z[0][1] && z[0][1] > z[0][0]);
    assert.match(figure.text, /64 +2 +49\n.*4,096 +2 +129/s);
  });

  it("latencies: shares of all who came, in the picture and in words", () => {
    const figure = plot.latencies(
      [
        { name: "a", values: [1, 2, 3, NaN, NaN, NaN] },
        { name: "b", values: [10, 40, 20, 30] },
        { name: "c", values: [NaN, NaN] },
      ],
      { title: "time until served, ms" },
    );
    const [, a, b, c] = figure.text.split("\n");
    assert.match(figure.text, /^time until served, ms/);
    assert.match(a, /a: 3 of 6; half of them within 3\.00 ms, 99 % never/);
    assert.match(b, /b: 4 of 4; half of them within 20\.0 ms, 99 % within 40\.0 ms/);
    assert.match(c, /c: 0 of 2; half of them never, 99 % never/);
    const highest = (figure.data as { y: number[] }[]).map(({ y }) => Math.max(...y));
    assert.deepEqual(highest, [50, 100, 0]);
    assert.equal(plot.latencies([{ name: "empty", values: [] }]).text.split("\n")[1], "  empty: no client came");
  });

  it("latencies: four out of ten lost leave no percentile above the sixtieth", () => {
    const values = [...Array(6).fill(5), ...Array(4).fill(NaN)] as number[];
    assert.match(plot.latencies([{ name: "x", values }]).text, /half of them within 5\.00 ms, 99 % never/);
    assert.match(plot.latencies([{ name: "x", values: [...values, NaN, NaN, NaN] }]).text, /half of them never/);
  });

  it("latencies: no two of many lines look alike", () => {
    const { data } = plot.latencies(Array.from({ length: 12 }, (_, at) => ({ name: String(at), values: [at] })));
    const looks = (data as { line: { color: string; dash: string } }[]).map(({ line }) => `${line.color} ${line.dash}`);
    assert.equal(new Set(looks).size, looks.length);
  });

  it("ladder: what the client believes stands beside what the kernel knows", () => {
    const after = (place: "nowhere" | "SYN queue" | "accept queue") =>
      ({ place, synQueue: 0, acceptQueue: 0 }) as const;
    const figure = plot.ladder([
      { time: 0, from: "client", to: "kernel", label: "SYN", detail: "seq 0", after: after("SYN queue") },
      { time: 1, from: "kernel", to: "client", label: "SYN, ACK", detail: "seq 0, ack 1", after: after("SYN queue") },
      { time: 2, from: "client", to: "kernel", label: "ACK", detail: "seq 1, ack 2", after: after("SYN queue") },
      { time: 2, from: "kernel", to: "client", label: "RST", detail: "seq 2", after: after("SYN queue") },
      { time: 3, from: "client", to: "kernel", label: "ACK", detail: "seq 1, ack 1", after: after("SYN queue") },
      { time: 9, from: "kernel", to: "kernel", label: "gives the request up", detail: "", after: after("nowhere") },
      {
        time: 10,
        from: "client",
        to: "kernel",
        label: "PSH, ACK",
        detail: "seq 1, ack 1, 3 bytes",
        after: after("nowhere"),
      },
      { time: 10, from: "kernel", to: "client", label: "RST", detail: "seq 1", after: after("nowhere") },
    ]);
    const lines = figure.text.split("\n").slice(1);
    assert.deepEqual(
      lines.map((line) => /the client: (.*)$/.exec(line)?.[1] ?? ""),
      ["SYN_SENT", "", "", "", "ESTABLISHED (client side)", "", "", "reset"],
    );
    assert.match(lines[5], /\+9\.00 ms {2}kernel: gives the request up; then no entry/);
    const arrows = figure.layout.annotations!.filter(({ showarrow }) => showarrow);
    assert.equal(arrows.length, lines.length - 1);
  });

  it("lines: thinned, first and last point kept", () => {
    const x = Float64Array.from({ length: 100_000 }, (_, at) => at);
    const figure = plot.lines(
      [
        { name: "a", x, y: x, steps: true },
        { name: "b", x: [0, 1], y: [1, 2], dash: "dash" },
      ],
      { xTitle: "time, s", yTitle: "n" },
    );
    const [first] = figure.data as { x: number[]; line: { shape: string } }[];
    assert.ok(first.x.length < 2000);
    assert.deepEqual([first.x[0], first.x[first.x.length - 1], first.line.shape], [0, 99_999, "hv"]);
    assert.match(figure.text, /n over time, s/);
    assert.equal(plot.lines([], { xTitle: "", yTitle: "" }).data.length, 0);
  });
});
