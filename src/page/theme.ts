/** The page's theme in a figure: text, grid and menus in the colours of JupyterLab, light or dark. */
import type { Layout, LayoutAxis, Slider, UpdateMenu } from "plotly.js";

/** CSS colours of the page. */
export interface ThemeColours {
  /** of text */
  text: string;
  /** of grid lines */
  grid: string;
  /** behind hover labels and buttons */
  ground: string;
}

/** The colours at an element: JupyterLab's variables; elsewhere those of the reader's colour scheme. */
export function coloursAt(element: Element): ThemeColours {
  const style = getComputedStyle(element);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches && !document.body.dataset.jpThemeLight;
  const colour = (name: string, light: string, otherwise: string) =>
    style.getPropertyValue(name).trim() || (dark ? otherwise : light);
  return {
    text: colour("--jp-content-font-color1", "#222", "#eee"),
    grid: colour("--jp-border-color2", "#ddd", "#555"),
    ground: colour("--jp-layout-color1", "#fff", "#222"),
  };
}

/** A copy of the layout, with the theme's colours wherever the layout has no colour. */
export function themed(layout: Partial<Layout>, element: Element): Partial<Layout> {
  const { text, grid, ground } = coloursAt(element);
  const made: Partial<Layout> = {
    ...layout,
    font: { ...layout.font, color: text },
    hoverlabel: { bgcolor: ground, font: { color: text, size: 14 } },
  };
  for (const [name, value] of Object.entries(layout)) {
    if (!/^[xy]axis\d*$/.test(name)) continue;
    const axis: Partial<LayoutAxis> = {
      gridcolor: grid,
      linecolor: grid,
      automargin: true,
      ...(value as Partial<LayoutAxis>),
    };
    Object.assign(made, { [name]: axis });
  }
  const box = { bgcolor: ground, bordercolor: grid };
  if (layout.updatemenus)
    made.updatemenus = layout.updatemenus.map((menu): Partial<UpdateMenu> => ({ ...box, ...menu }));
  if (layout.sliders)
    made.sliders = layout.sliders.map((slider): Partial<Slider> => {
      const { currentvalue } = slider;
      return {
        ...box,
        ...slider,
        ...(currentvalue && { currentvalue: { ...currentvalue, font: { color: text, ...currentvalue.font } } }),
      };
    });
  return made;
}
