/** HTML that escapes values, and the stylesheet of everything that is shown under a cell. */
export { escapeHtml, Html, html, trusted, type HtmlValue } from "./html";
export { style, type StyleName } from "./style";
