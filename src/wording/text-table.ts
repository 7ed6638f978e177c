/** A plain-text table: the text form of summaries, of tables in notebooks and of figures. */

/** One column of a text table. */
export interface TextColumn {
  /** its head */
  readonly title: string;
  /** the side to which its cells are set */
  readonly align: "left" | "right";
}

/**
 * Lines of a table with a ruled header, columns two spaces apart. Widths count code points.
 * @param rows the cells of each row, in the order of the columns; a missing cell is left blank
 */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const width = (text: string): number => [...text].length;
  const sized = columns.map(({ title, align }, i) => ({
    align,
    size: Math.max(width(title), ...rows.map((row) => width(row[i] ?? ""))),
  }));
  const line = (cells: readonly string[]): string =>
    sized
      .map(({ align, size }, i) => {
        const cell = cells[i] ?? "";
        const blank = " ".repeat(size - width(cell));
        return align === "right" ? blank + cell : cell + blank;
      })
      .join("  ")
      .trimEnd();
  const head = columns.map(({ title }) => title);
  const rule = sized.map(({ size }) => "─".repeat(size));
  return [head, rule, ...rows].map(line).join("\n");
}
