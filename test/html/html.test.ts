import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeHtml, html, style, trusted } from "../../dist/html";

describe("the html tag", () => {
  it("makes text of every value, and lets templates pass", () => {
    const evil = `</b><img src=x onerror="alert('1')">&`;
    assert.equal(String(html`<b>${evil}</b>`), `<b>${escapeHtml(evil)}</b>`);
    assert.equal(
      String(html`<p title="${evil}">${html`<i>${1}</i>`}</p>`),
      `<p title="${escapeHtml(evil)}"><i>1</i></p>`,
    );
    assert.equal(String(html`${[html`<br>`, "<", ["&", 2]]}`), "<br>&#60;&#38;2");
  });

  it("writes nothing for what is not there", () => {
    const missing = undefined as string | undefined;
    assert.equal(String(html`a${missing && html`<b>${missing}</b>`}${null}${false}${""}${0}`), "a0");
  });

  it("refuses a value where escaping cannot protect", () => {
    assert.throws(
      () => html`<a href=${"x onclick=alert(1)"}>`,
      /^TypeError: html: an attribute needs quotes: <a href=$/,
    );
    assert.throws(() => html`<a title="${"x"}" href=${"y"}>`, /^TypeError: html: an attribute needs quotes: " href=$/);
    assert.equal(String(html`<b>1 =${2}</b>`), "<b>1 =2</b>");
  });

  it("lets no text out of its place, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(String(html`${text}`), /[<>"']|&(?!#\d+;)/);
      }),
    );
  });

  it("takes a script of ours as it is", () => {
    assert.equal(String(html`<script>${trusted("1 < 2")}</script>`), "<script>1 < 2</script>");
  });
});

describe("the stylesheet", () => {
  it("stands in the style attribute, with what is the element's own after it", () => {
    assert.equal(String(html`<i ${style("faint")}>x</i>`), '<i style="opacity:.7">x</i>');
    assert.equal(String(style(["fill", "faint"], { width: "5%" })), 'style="height:14px;opacity:.7;width:5%"');
    assert.equal(String(style("fill", { width: '"><b>' })), 'style="height:14px;width:&#34;&#62;&#60;b&#62;"');
  });
});
