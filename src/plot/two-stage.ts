import { formatNumber, formatTime, type Trace } from "../trace";
import { axis, baseLayout, figure, plain, words, type Figure, type Json } from "./figure";
import { palette, theme, translucent } from "./palette";
import { queueLines } from "./queue-depth";
import { stepLines, stepTrace } from "./step-line";
import { timeAxis } from "./time-axis";
import { chooseTimes, momentsAt, population, roomOf, type Moment } from "./two-stage-moments";
import { boxes, bytes, dotsTrace, gridFor, kinds, place, plane, ringsTrace, sceneDecoration, type Grid, type Kind } from "./two-stage-scene";
import { circumstances } from "./words";

export interface TwoStageOptions {
  /** pictures in the film, about; default 120, fewer if the figure would be heavier than 140 KB */
  frames?: number;
  title?: string;
}

/** dots drawn at most; more connections than that share a dot */
const mostDots = 300;
/** characters of the figure's JSON */
const heaviest = 140_000;
/** ms between two pictures of the film */
const pace = 90;

/**
 * The two-stage picture of the text, moving: clients, SYN queue, accept queue, accept() and the application, driven by a recording.
 * A dot is a connection (or, of very many, a fixed number of them); dots of one kind are interchangeable, the recording has counts and
 * no names. Plays with a button, or is dragged with the slider below; the film runs slower where more happens, and says how much.
 */
export function twoStage(trace: Trace, { frames: wanted = 120, title = "Two stages" }: TwoStageOptions = {}): Figure {
  for (let count = Math.max(2, wanted); ; count = Math.floor(count * 0.85)) {
    const film = filmOf(trace, count, title);
    if (count <= 20 || JSON.stringify([film.data, film.layout, film.frames]).length <= heaviest) return film;
  }
}

function filmOf(trace: Trace, count: number, title: string): Figure {
  const moments = momentsAt(trace, chooseTimes(trace, count));
  const crowd = population(trace, moments);
  const each = Math.ceil(crowd / mostDots);
  const dots = Math.ceil(crowd / each);
  const room = roomOf(trace);
  const slots = Math.ceil(room / each);
  const ringed = slots > 0 && slots <= Math.max(mostDots / 1.6, dots);
  const fullest = (of: (moment: Moment) => number): number => Math.ceil(Math.max(0, ...moments.map(of)) / each);
  const synSlots = Math.max(ringed ? slots : 0, fullest(({ synQueue }) => synQueue));
  const acceptSlots = Math.max(ringed ? slots : 0, fullest(({ acceptQueue }) => acceptQueue));
  const grid = gridFor([
    { box: boxes.clients, dots }, { box: boxes.application, dots }, { box: boxes.synQueue, dots: synSlots }, { box: boxes.acceptQueue, dots: acceptSlots },
  ]);
  const time = timeAxis(trace);
  const pictures = moments.map((moment, i) => ({
    name: String(i),
    dots: dotsAt(moment, dots, each, grid),
    said: wordsAt(trace, moment, moments[i + 1]?.time ?? moment.time, room, crowd),
    hand: [time(moment.time), time(moment.time)],
  }));
  // still pictures show the fullest moment; the film begins at the beginning
  const first = moments.reduce((best, moment, i) => (moment.synQueue + moment.acceptQueue >= moments[best].synQueue + moments[best].acceptQueue ? i : best), 0);
  const shown = pictures[first];
  const highest = Math.max(1, ...moments.map(({ synQueue, acceptQueue }) => Math.max(synQueue, acceptQueue)));
  const timeline = ["acceptQueue", "synQueue"].map((name) => stepLines(trace, [trace.column(name)], time, { points: 300, hover: false }));
  const lower = { xaxis: "x2", yaxis: "y2", hoverinfo: "skip", hovertemplate: undefined };
  const decoration = sceneDecoration();
  return figure({
    data: [
      ringsTrace(ringed ? [{ box: boxes.synQueue, count: synSlots }, { box: boxes.acceptQueue, count: acceptSlots }] : [], grid),
      stepTrace("accept queue", timeline[0].x, timeline[0].y[0], palette.acceptQueue, { ...lower, fill: "tozeroy", fillcolor: translucent(palette.acceptQueue, 0.2), line: { width: 2 } }),
      stepTrace("SYN queue", timeline[1].x, timeline[1].y[0], palette.synQueue, { ...lower, line: { width: 2 } }),
      { type: "scatter", mode: "lines", x: shown.hand, y: [0, highest * 1.1], ...lower, line: { color: theme.text, width: 2 } },
      saidTrace(shown.said),
      dotsTrace(shown.dots.x, shown.dots.y, shown.dots.kind, grid),
    ],
    layout: {
      ...baseLayout(620),
      margin: { l: 62, r: 16, t: 40, b: 122 },
      hovermode: false,
      xaxis: { range: [...plane.x], domain: [0, 1], visible: false, fixedrange: true, anchor: "y" },
      yaxis: { range: [...plane.y], domain: [0.22, 1], visible: false, fixedrange: true },
      xaxis2: { ...time.layout, domain: [0, 1], anchor: "y2", fixedrange: true, title: { ...((time.layout as { title: Json }).title), standoff: 2 } },
      yaxis2: axis("", { domain: [0, 0.18], range: [0, highest * 1.1], nticks: 3, anchor: "x2", fixedrange: true }),
      shapes: decoration.shapes,
      annotations: [
        ...decoration.annotations,
        words(`<b>${plain(title)}</b>  <span style="color:${theme.faint}">${plain(circumstances(trace))}</span>`, 0, 1, { xshift: -50, yanchor: "bottom", yshift: 12, font: { size: 16, color: theme.text } }),
        ...(each > 1 ? [words(`one dot: ${formatNumber(each)} connections`, 1, 1, { xanchor: "right", yanchor: "bottom", yshift: 12, font: { size: 14, color: theme.faint } })] : []),
      ],
      updatemenus: [playButtons()],
      sliders: [slider(moments, first)],
    },
    frames: pictures.map(({ name, dots: at, said, hand }) => ({
      name,
      data: [{ x: hand }, { text: said }, { x: bytes(at.x), y: bytes(at.y), marker: { color: bytes(at.kind) } }],
      traces: [3, 4, 5],
    })),
    config: { displayModeBar: false },
    text: filmInWords(trace, title, moments),
  });
}

/** Everybody in the order of progress: accepted first, then the accept queue from its head, the SYN queue, and those outside. */
function dotsAt(moment: Moment, dots: number, each: number, grid: Grid): { x: Uint8Array; y: Uint8Array; kind: Uint8Array } {
  const at = { x: new Uint8Array(dots), y: new Uint8Array(dots), kind: new Uint8Array(dots) };
  const scaled = (count: number): number => (count > 0 ? Math.max(1, Math.round(count / each)) : 0);
  let next = 0;
  const settle = (kind: Kind, count: number, where: (n: number) => { x: number; y: number }): void => {
    for (let n = 0; n < scaled(count) && next < dots; n++, next++) {
      const { x, y } = where(n);
      at.x[next] = x;
      at.y[next] = y;
      at.kind[next] = kinds.indexOf(kind);
    }
  };
  const home = (): { x: number; y: number } => place(boxes.clients, grid, next);
  settle("accepted", moment.accepted, (n) => place(boxes.application, grid, n));
  settle("acceptQueue", moment.acceptQueue, (n) => place(boxes.acceptQueue, grid, n));
  settle("synQueue", moment.synQueue, (n) => place(boxes.synQueue, grid, n));
  settle("phantom", moment.phantoms, home);
  settle("unanswered", moment.unanswered, home);
  settle("failed", moment.failed, home);
  settle("idle", dots * each, home);
  return at;
}

const spots = [
  { x: 0, y: 143, size: 22, position: "middle right" },
  { x: 40, y: 142.5, size: 15, position: "middle right" },
  { x: 255, y: 142.5, size: 17, position: "middle left" },
  ...[boxes.clients, boxes.synQueue, boxes.acceptQueue, boxes.application].map(({ left, width }) => ({ x: left + width / 2, y: 112, size: 19, position: "middle center" })),
  { x: boxes.clients.left - 3, y: -9, size: 15, position: "middle right" },
  { x: boxes.clients.left - 3, y: -18, size: 15, position: "middle right" },
  { x: (boxes.synQueue.left + boxes.acceptQueue.left + boxes.acceptQueue.width) / 2, y: -14, size: 17, position: "middle center" },
] as const;

/** Plotly takes an empty text out of the page and then confuses its neighbours; this one it leaves there. */
const blank = "\u00a0";

/** What stands at each of the spots. */
function wordsAt(trace: Trace, moment: Moment, nextTime: number, room: number, crowd: number): string[] {
  const event = trace.events.filter(({ time }) => time <= moment.time).pop();
  const amount = (count: number, one: string, many: string): string => (count > 0 ? `<b>${formatNumber(count)}</b> ${count === 1 ? one : many}` : "");
  const outside = [
    amount(moment.phantoms, "believes it is connected", "believe they are connected"),
    amount(moment.unanswered, "waits for an answer", "wait for an answer"),
    amount(moment.failed, "has given up", "have given up"),
  ].filter(Boolean);
  const said = [
    `<b>${formatTime(moment.time)}</b>`,
    speed(nextTime - moment.time),
    event ? plain(event.detail ? `${event.name}: ${event.detail}` : event.name) : "",
    `<b>${formatNumber(Math.max(0, crowd - moment.synQueue - moment.acceptQueue - moment.accepted))}</b>`,
    `<b>${formatNumber(moment.synQueue)}</b>`,
    `<b>${formatNumber(moment.acceptQueue)}</b>${room > 0 ? ` of ${formatNumber(room)}` : ""}`,
    `<b>${formatNumber(moment.accepted)}</b>`,
    ...[...outside, "", ""].slice(0, 2),
    [amount(moment.dropped, "dropped", "dropped"), amount(moment.cookies, "cookie sent", "cookies sent")].filter(Boolean).join(", "),
  ];
  return said.map((text) => text || blank);
}

function saidTrace(said: readonly string[]): Json {
  return {
    type: "scatter", mode: "text", x: spots.map(({ x }) => x), y: spots.map(({ y }) => y), text: said, textposition: spots.map(({ position }) => position),
    textfont: { size: spots.map(({ size }) => size), color: theme.text }, hoverinfo: "skip", cliponaxis: false,
  };
}

/** How much slower or faster than life the film runs from here to the next picture. */
function speed(real: number): string {
  if (real <= 0) return "";
  const factor = pace / real;
  if (factor > 1.4) return `${formatNumber(Number(factor.toPrecision(factor < 10 ? 1 : 2)))} × slower than life`;
  return factor < 0.7 ? `${formatNumber(Number((1 / factor).toPrecision(1)))} × faster than life` : "as fast as life";
}

const still = { mode: "immediate", transition: { duration: 0 }, frame: { duration: 0, redraw: false } } as const;

function playButtons(): Json {
  return {
    type: "buttons", direction: "left", x: 0, xanchor: "left", y: 0, yanchor: "top", pad: { t: 62, l: -52 }, showactive: false,
    bgcolor: theme.panel, bordercolor: theme.faint, font: { size: 15, color: theme.text },
    buttons: [
      { label: "▶ Play", method: "animate", args: [null, { mode: "immediate", fromcurrent: true, transition: { duration: pace, easing: "linear" }, frame: { duration: pace, redraw: false } }] },
      { label: "❚❚ Pause", method: "animate", args: [[null], still] },
    ],
  };
}

function slider(moments: readonly Moment[], active: number): Json {
  return {
    active, x: 0.2, len: 0.8, xanchor: "left", y: 0, yanchor: "top", pad: { t: 66, b: 4 }, ticklen: 0, minorticklen: 0, bgcolor: theme.panel, bordercolor: theme.faint, activebgcolor: theme.faint,
    currentvalue: { visible: false }, font: { size: 1, color: "rgba(0,0,0,0)" },
    steps: moments.map((_, i) => ({ label: "", method: "animate", args: [[String(i)], still] })),
  };
}

function filmInWords(trace: Trace, title: string, moments: readonly Moment[]): string {
  const every = Math.max(1, Math.ceil(moments.length / 10));
  const told = moments.filter((_, i) => i % every === 0 || i === moments.length - 1);
  return [
    `${title}: a moving picture in ${moments.length} pictures, ${circumstances(trace)}`,
    ...queueLines(trace),
    ...told.map(({ time, synQueue, acceptQueue, accepted, dropped }) => `  ${formatTime(time)}: ${formatNumber(synQueue)} in the SYN queue, ${formatNumber(acceptQueue)} in the accept queue, ${formatNumber(accepted)} accepted, ${formatNumber(dropped)} dropped`),
  ].join("\n");
}
