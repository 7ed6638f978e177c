/** A plain-text table: the text form of summaries, of tables in notebooks and of figures. */

export interface TextColumn {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Lines of a table with a ruled header, columns two spaces apart. Widths count code points. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const width = (text: string): number => [...text].length;
  const widths = columns.map((column, i) => Math.max(width(column.title), ...rows.map((row) => width(row[i] ?? ""))));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, i) => {
        const cell = cells[i] ?? "";
        const blank = " ".repeat(widths[i] - width(cell));
        return column.align === "right" ? blank + cell : cell + blank;
      })
      .join("  ")
      .trimEnd();
  return [line(columns.map((column) => column.title)), line(widths.map((n) => "─".repeat(n))), ...rows.map(line)].join(
    "\n",
  );
}
