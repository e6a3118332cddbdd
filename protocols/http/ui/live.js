// What stays true while the page is looked at: streams and questions asked again and again, and the banner that says when they no longer arrive. In the background it holds no stream and asks nothing.

import { get, Problem } from "./api.js";

const lost = new Map();
let lastGood = Date.now();

/** Called when the node no longer knows who is asking. */
export const signedOut = { act: () => undefined };

function show() {
  const banner = document.getElementById("stale");
  banner.hidden = lost.size === 0;
  banner.textContent = lost.size === 0 ? "" : `Connection lost: what you see is from ${new Date(lastGood).toLocaleTimeString()}. Trying again…`;
  document.body.classList.toggle("stale", lost.size > 0);
}

function good(what) {
  if (lost.size === 0) lastGood = Date.now();
  if (lost.delete(what)) show();
}

function bad(what) {
  lost.set(what, true);
  show();
}

/** Begins while the page is seen, ends while it is not, and begins anew. @param begin returns how to end @returns how to stop */
function whileSeen(begin) {
  let end;
  const look = () => {
    if (document.hidden) {
      end?.();
      end = undefined;
    } else end ??= begin();
  };
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    document.removeEventListener("visibilitychange", look);
    end?.();
    end = undefined;
  };
}

/** Asks every `everyMs` until stopped; one question at a time. @param path text, or what gives it for each question @returns how to stop */
export function poll(path, everyMs, take) {
  return whileSeen(() => asking(path, everyMs, take));
}

function asking(path, everyMs, take) {
  const what = {};
  let timer;
  let stopped = false;
  const ask = async () => {
    try {
      const answer = await get(typeof path === "function" ? path() : path);
      if (stopped) return;
      good(what);
      take(answer);
    } catch (error) {
      if (stopped) return;
      if (error instanceof Problem && error.status === 401) signedOut.act();
      else bad(what);
    }
    if (!stopped) timer = setTimeout(ask, everyMs);
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
    good(what);
  };
}

/**
 * Opens an event stream, which begins anew when the page is seen again; the browser comes again by itself unless it was refused.
 * @param probe what to ask why it was refused, since EventSource does not say  @param refused takes the problem
 * @returns how to stop
 */
export function follow(path, listeners, probe, refused) {
  return whileSeen(() => listening(path, listeners, probe, refused));
}

function listening(path, listeners, probe, refused) {
  const what = {};
  let source;
  let timer;
  let stopped = false;
  const open = () => {
    source = new EventSource(path);
    source.onopen = () => good(what);
    for (const [event, take] of Object.entries(listeners)) source.addEventListener(event, (message) => take(JSON.parse(message.data)));
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) void ask();
      else bad(what);
    };
  };
  const ask = async () => {
    try {
      await get(probe);
      bad(what);
    } catch (error) {
      if (stopped) return;
      if (!(error instanceof Problem)) bad(what);
      else if (error.status === 401) {
        signedOut.act();
        return;
      } else {
        good(what);
        refused(error);
      }
    }
    if (!stopped) timer = setTimeout(open, 3_000);
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    source.close();
    good(what);
  };
}
