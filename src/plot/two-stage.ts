import { rowAt, type Trace } from "../trace";
import { formatNumber } from "../wording/number";
import { baseLayout, seconds, type Figure } from "./figure";
import { palette } from "./palette";
import { queueDepth } from "./queue-depth";

export interface TwoStageOptions {
  /** pictures in the film; default 120 */
  frames?: number;
}

interface Moment {
  time: number;
  syn: number;
  accept: number;
  accepted: number;
  drops: number;
}

const rows = { syn: 3, accept: 2, application: 1 };
/** beyond so many places single cells cannot be told apart */
const mostCells = 160;

/**
 * The text's picture, moving: SYN queue, accept queue, accept(), application, driven by a recording. A filled cell is a connection.
 * Plays with a button, or is dragged with a slider.
 */
export function twoStage(trace: Trace, { frames: wanted = 120 }: TwoStageOptions = {}): Figure {
  const room = trace.summary().get("acceptMax").last + 1;
  const moments = chooseMoments(trace, wanted).map((time) => momentAt(trace, time));
  const most = Math.max(1, ...moments.map(({ accepted }) => accepted));
  const width = Math.max(room, ...moments.map(({ syn, accept }) => Math.max(syn, accept)));
  const x = (moment: Moment) => [[moment.syn], [moment.accept], [(moment.accepted / most) * width]];
  const words = (moment: Moment) => [
    `${formatNumber(moment.syn)} handshakes under way`,
    `${formatNumber(moment.accept)} of ${formatNumber(room)} wait for accept()`,
    `${formatNumber(moment.accepted)} accepted`,
    moment.drops > 0 ? `${formatNumber(moment.drops)} dropped at the door` : "",
  ];
  // still pictures show the fullest moment; playing starts at the first one
  const first = moments.reduce((fullest, moment) =>
    moment.syn + moment.accept > fullest.syn + fullest.accept ? moment : fullest,
  );
  const bar = (row: number, value: number, colour: string) => ({
    type: "bar",
    orientation: "h",
    x: [value],
    y: [row],
    width: 0.5,
    marker: { color: colour },
    hoverinfo: "skip",
    showlegend: false,
  });
  const [synX, acceptX, applicationX] = x(first);
  const box = (row: number) => ({
    type: "rect",
    x0: 0,
    x1: width,
    y0: row - 0.25,
    y1: row + 0.25,
    line: { color: palette.other, width: 2 },
  });
  const cells =
    width > mostCells
      ? []
      : [rows.syn, rows.accept].flatMap((row) =>
          Array.from({ length: width - 1 }, (_, at) => ({
            type: "line",
            x0: at + 1,
            x1: at + 1,
            y0: row - 0.25,
            y1: row + 0.25,
            line: { color: "rgba(128,128,128,0.45)", width: 1 },
          })),
        );
  const stage = (row: number, text: string) => ({
    x: 0,
    xanchor: "left",
    y: row + 0.27,
    yanchor: "bottom",
    text: `<b>${text}</b>`,
    showarrow: false,
    font: { size: 16 },
  });
  const arrow = (from: number, to: number, text: string) => [
    {
      x: width * 0.5,
      y: to + 0.27,
      ax: width * 0.5,
      ay: from - 0.27,
      xref: "x",
      yref: "y",
      axref: "x",
      ayref: "y",
      text: "",
      showarrow: true,
      arrowhead: 2,
      arrowsize: 1.2,
      arrowwidth: 2,
      arrowcolor: palette.other,
    },
    {
      x: width * 0.5,
      y: (from + to) / 2,
      xanchor: "left",
      yanchor: "middle",
      xshift: 10,
      text,
      showarrow: false,
      font: { size: 15 },
    },
  ];
  return {
    data: [
      bar(rows.syn, synX[0], palette.synQueue),
      bar(rows.accept, acceptX[0], palette.acceptQueue),
      bar(rows.application, applicationX[0], palette.accepted),
      {
        type: "scatter",
        mode: "text",
        x: [width, width, width, width],
        y: [rows.syn + 0.36, rows.accept + 0.36, rows.application + 0.36, rows.syn + 0.62],
        text: words(first),
        textposition: "middle left",
        textfont: { size: 16 },
        hoverinfo: "skip",
        showlegend: false,
        cliponaxis: false,
      },
    ],
    layout: {
      ...baseLayout(520),
      hovermode: false,
      barmode: "overlay",
      margin: { l: 24, r: 24, t: 30, b: 120 },
      xaxis: { range: [-width * 0.005, width * 1.005], visible: false, fixedrange: true },
      yaxis: { range: [0.6, 3.8], visible: false, fixedrange: true },
      shapes: [box(rows.syn), box(rows.accept), box(rows.application), ...cells],
      annotations: [
        stage(rows.syn, "SYN queue"),
        stage(rows.accept, "accept queue"),
        stage(rows.application, "application"),
        ...arrow(rows.syn, rows.accept, "last ACK"),
        ...arrow(rows.accept, rows.application, "accept()"),
      ],
      updatemenus: [
        {
          type: "buttons",
          direction: "left",
          x: 0,
          y: -0.04,
          xanchor: "left",
          yanchor: "top",
          pad: { t: 8, r: 8 },
          showactive: false,
          buttons: [
            {
              label: "▶ play",
              method: "animate",
              args: [
                null,
                {
                  frame: { duration: 70, redraw: false },
                  transition: { duration: 60, easing: "linear" },
                  fromcurrent: true,
                  mode: "immediate",
                },
              ],
            },
            {
              label: "❚❚ pause",
              method: "animate",
              args: [[null], { frame: { duration: 0, redraw: false }, mode: "immediate", transition: { duration: 0 } }],
            },
          ],
        },
      ],
      sliders: [
        {
          active: moments.indexOf(first),
          x: 0.2,
          len: 0.8,
          y: -0.04,
          yanchor: "top",
          pad: { t: 8 },
          currentvalue: { prefix: "time: ", suffix: " s", xanchor: "right", font: { size: 15 } },
          ticklen: 0,
          minorticklen: 0,
          font: { size: 1, color: "rgba(0,0,0,0)" },
          steps: moments.map(({ time }, at) => ({
            label: seconds(time).toFixed(3),
            method: "animate",
            args: [
              [String(at)],
              { frame: { duration: 0, redraw: false }, mode: "immediate", transition: { duration: 0 } },
            ],
          })),
        },
      ],
    },
    frames: moments.map((moment, at) => ({
      name: String(at),
      data: [...x(moment).map((value) => ({ x: value })), { text: words(moment) }],
      traces: [0, 1, 2, 3],
    })),
    text: `${queueDepth(trace).text}\n  (moving picture of ${moments.length} moments; accepted in the end: ${formatNumber(moments[moments.length - 1].accepted)})`,
  };
}

function momentAt(trace: Trace, time: number): Moment {
  const value = (column: string): number => {
    if (!trace.columnNames.includes(column)) return 0;
    const series = trace.column(column);
    return series.values[Math.max(0, rowAt(series.time, time))] ?? 0;
  };
  return {
    time,
    syn: value("synQueue"),
    accept: value("acceptQueue"),
    accepted: value("accepted"),
    drops: value("TcpExt.ListenDrops"),
  };
}

/** Moments so chosen that half of the film goes by the clock and half by what happens: a burst of a millisecond is seen as well. */
function chooseMoments(trace: Trace, count: number): number[] {
  const { time, columns } = trace.tracks.queues;
  if (time.length === 0) return [trace.start];
  const change = new Float64Array(time.length);
  for (let row = 1; row < time.length; row++) {
    change[row] =
      change[row - 1] +
      Math.abs(columns.acceptQueue[row] - columns.acceptQueue[row - 1]) +
      Math.abs(columns.synQueue[row] - columns.synQueue[row - 1]);
  }
  const total = change[time.length - 1] || 1;
  const duration = trace.end - time[0] || 1;
  const progress = (row: number) => 0.5 * (change[row] / total) + 0.5 * ((time[row] - time[0]) / duration);
  const chosen = [time[0]];
  for (let row = 0, next = 1; row < time.length && next < count; row++) {
    // quiet stretches have no rows of their own: the clock goes on in them
    while (
      next < count &&
      progress(row) + (0.5 * ((time[row + 1] ?? trace.end) - time[row])) / duration >= next / (count - 1)
    ) {
      const missing = Math.max(0, next / (count - 1) - progress(row));
      chosen.push(Math.min(trace.end, time[row] + missing * 2 * duration));
      next++;
    }
    if (row + 1 < time.length && progress(row + 1) >= next / (count - 1) && chosen[chosen.length - 1] < time[row + 1]) {
      chosen.push(time[row + 1]);
      next++;
    }
  }
  if (chosen[chosen.length - 1] < trace.end) chosen.push(trace.end);
  return chosen;
}
