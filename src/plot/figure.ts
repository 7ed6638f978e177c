/** A plotly figure as plain data, and the same in words. */
import type { Layout, LayoutAxis } from "plotly.js";
import type { PageFigure } from "./page-contract";

/**
 * A picture: data and layout as plotly takes them, and the same in words. Plain data, so it can be sent as JSON, saved
 * in a notebook and compared.
 */
export interface Figure extends PageFigure {
  /** The same content as text, made from the same data: several lines. The first one names the picture. */
  text: string;
}

/** Numbers at the ticks as everywhere in the workbook: "20,000", neither "20k" nor "20000". */
const numberedAxis: Partial<LayoutAxis> = { separatethousands: true, exponentformat: "none" };

/**
 * What every figure's layout has in common. Colours of text and grid are left to the page, which knows its theme.
 * @param height in pixels
 */
export function baseLayout(height: number): Partial<Layout> {
  return {
    height,
    autosize: true,
    margin: { l: 70, r: 24, t: 48, b: 56 },
    font: { size: 15, family: "system-ui, sans-serif" },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hovermode: "x unified",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 14 } },
    // the decimal point, and the comma between thousands
    separators: ".,",
    template: { layout: { xaxis: numberedAxis, yaxis: numberedAxis } },
  };
}

/** The x axis of a recording: seconds since its start. */
export const timeAxis: Partial<LayoutAxis> = {
  title: { text: "time, s", font: { size: 15 }, standoff: 6 },
  rangemode: "tozero",
  zeroline: false,
};

/** A y axis that counts from zero. @param title what is counted */
export function countAxis(title: string): Partial<LayoutAxis> {
  return { title: { text: title, font: { size: 15 } }, rangemode: "tozero", zeroline: false };
}

/** Around a recording's picture, in pixels: room for the numbered events above and the caption below. */
export const recordingMargin = { l: 70, r: 24, t: 56, b: 125 } as const;

/** Converts ms to s and keeps tenths of a millisecond: enough for the eye, and few digits in the file. */
export function seconds(ms: number): number {
  return Math.round(ms * 10) / 1e4;
}

/** A number with `digits` significant digits: no eye sees more, and the file stays small. NaN and infinities stay. */
export function significant(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value;
}
