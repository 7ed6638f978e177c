/**
 * HTML that escapes by itself: `` html`<b>${title}</b>` ``. Text that stands in the template is markup; every value is
 * text, unless it was made by the tag as well. So a student's output, a host name or an error message can never become
 * an element.
 */

/** Markup that is safe to put into a page: made by {@link html}, {@link style} or {@link trusted}, by nothing else. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** Only for src/html: takes the markup without escaping it. */
  static of(markup: string): Html {
    return new Html(markup);
  }

  /** The markup. */
  toString(): string {
    return this.#markup;
  }
}

/**
 * What may stand in a template: text and numbers (escaped), other templates, lists of all of them (joined without a
 * separator), and `false`, `null` or `undefined` for nothing, so that `${message && html`<p>${message}</p>`}` can be
 * written.
 */
export type HtmlValue = Html | string | number | false | null | undefined | readonly HtmlValue[];

/**
 * Text for a place between tags or between quotes: `& < > " '` become character references (HTML Living Standard,
 * 13.1.4).
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.toString();
  if (value === false || value === null || value === undefined) return "";
  if (typeof value === "object") return value.map(markupOf).join("");
  return escapeHtml(String(value));
}

/**
 * The tag. Values may stand between tags and inside quoted attributes; an attribute without quotes is refused, because
 * escaping cannot protect it.
 * @throws TypeError an attribute's value without quotes
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = "";
  let insideTag = false;
  for (const [at, text] of strings.entries()) {
    markup += text;
    if (/[<>]/.test(text)) insideTag = text.lastIndexOf("<") > text.lastIndexOf(">");
    if (at === values.length) break;
    if (insideTag && /=\s*$/.test(text)) throw new TypeError(`html: an attribute needs quotes: ${text.trim()}`);
    markup += markupOf(values[at]);
  }
  return Html.of(markup);
}

/**
 * Markup that was made elsewhere, taken as it is: the page's script, JSON inside a script element. Never for anything
 * that a reader or a program typed.
 */
export function trusted(markup: string): Html {
  return Html.of(markup);
}
