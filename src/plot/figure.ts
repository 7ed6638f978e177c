/** A plotly figure as plain data, and the same in words. */

export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
  frames?: Record<string, unknown>[];
  /** a true text alternative, made from the same data */
  text: string;
}

/** What every figure's layout has in common. Colours of text and grid are left to the page, which knows its theme. */
export function baseLayout(height: number): Record<string, unknown> {
  return {
    height,
    autosize: true,
    margin: { l: 70, r: 24, t: 48, b: 56 },
    font: { size: 15, family: "system-ui, sans-serif" },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hovermode: "x unified",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 14 } },
  };
}

export const timeAxis = {
  title: { text: "time, s", font: { size: 15 }, standoff: 6 },
  rangemode: "tozero",
  zeroline: false,
} as const;

/** Seconds with a tenth of a millisecond: enough for the eye, few digits in the file. */
export function seconds(ms: number): number {
  return Math.round(ms * 10) / 1e4;
}
