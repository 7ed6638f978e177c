import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { newDisplayId, type Send } from "./notebook";
import { libraryPartHtml } from "./html";

/** Set by our kernelspec: the library's path below the base URL of a Jupyter server that serves our project. */
export function libraryUrl(): string | undefined {
  return process.env.ONE_LISTENER_PLOTLY_URL || undefined;
}

/** A Jupyter server drops what a kernel sends above 1 MB a second, averaged over three. */
const partSize = 220_000;
const pause = 400;
/** ms until a part has surely been read by the page */
const reading = 8000;

let sent = false;

/**
 * On a server that does not serve our project, the kernel sends the library to the page itself: once, in parts. The outputs that
 * carried them are emptied again, so that a notebook never saves the library.
 */
export function offerLibrary(send: Send): void {
  if (sent || libraryUrl() !== undefined) return;
  sent = true;
  void sendParts(send);
}

/** Sends the library again, for a page that was reloaded since. Only needed where the server does not serve our project. */
export function resendLibrary(send: Send): void {
  sent = false;
  offerLibrary(send);
}

async function sendParts(send: Send): Promise<void> {
  const base64 = gzipSync(readFileSync(require.resolve("plotly.js-cartesian-dist-min")), { level: 9 }).toString("base64");
  const parts = Math.ceil(base64.length / partSize);
  for (let at = 0; at < parts; at++) {
    const transient = { display_id: newDisplayId() };
    send({ data: { "text/html": libraryPartHtml(at, parts, base64.slice(at * partSize, (at + 1) * partSize)), "text/plain": "" }, transient }, false);
    setTimeout(() => send({ data: { "text/html": "", "text/plain": "" }, transient }, true), reading);
    await sleep(pause);
  }
}
