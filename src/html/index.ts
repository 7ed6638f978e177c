/** HTML that escapes by itself, and the one stylesheet of what stands under a cell. */
export { escapeHtml, Html, html, trusted, type HtmlValue } from "./html";
export { style, type StyleName } from "./style";
