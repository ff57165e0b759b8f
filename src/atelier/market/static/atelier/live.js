// Live pages: an element with data-live="URL" hears server-sent events. See README.md for the attributes.
// Everything here adds to a page that is right without it: a reload shows the same state.
import { enhance, word } from "./enhance.js";

const streams = new Map(); // root element → Stream
const SLOWEST_RETRY_MS = 30000;
const GIVE_UP_MS = 300000; // A ticket ends after a day, and then no try will ever succeed.
const REFRESH_GAP_MS = 700;
const SPEAK_GAP_MS = 4000;

class Stream {
  constructor(root) {
    this.root = root;
    this.url = new URL(root.dataset.live, location.href);
    this.kinds = new Set();
    this.start();
  }

  start() {
    this.delay = 1000;
    this.failing = 0; // for how long no try has succeeded
    this.failedAt = 0;
    this.open();
  }

  open() {
    this.source = new EventSource(this.url);
    this.heard = new Set();
    this.source.onopen = () => {
      this.delay = 1000;
      this.failing = this.failedAt = 0;
      this.mark("");
    };
    this.source.onerror = () => this.lost();
    this.listen();
  }

  // Names of events must be known before they are heard: from the attributes inside the root, and data-live-kinds.
  listen() {
    for (const kind of wanted(this.root)) {
      if (this.heard.has(kind)) continue;
      this.heard.add(kind);
      this.source.addEventListener(kind, (event) => this.hear(kind, event));
    }
  }

  hear(kind, event) {
    if (event.lastEventId) this.url.searchParams.set("since", event.lastEventId);
    let data = {};
    try {
      data = JSON.parse(event.data);
    } catch {
      return;
    }
    act(this.root, kind, data);
    this.root.dispatchEvent(new CustomEvent(`live:${kind}`, { detail: data, bubbles: true }));
  }

  // The browser reconnects by itself after a broken connection, but gives up on an error page: then we try again.
  lost() {
    const now = Date.now();
    // The time that a machine sleeps is no time of trying.
    if (this.failedAt) this.failing += Math.min(now - this.failedAt, SLOWEST_RETRY_MS);
    this.failedAt = now;
    if (this.failing >= GIVE_UP_MS) return this.giveUp();
    this.mark(word("reconnecting"));
    if (this.source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.delay);
    this.delay = Math.min(this.delay * 2, SLOWEST_RETRY_MS);
  }

  giveUp() {
    this.close();
    this.mark(word("given-up"));
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--small";
    button.textContent = word("reload");
    button.addEventListener("click", () => location.reload());
    this.root.querySelector(":scope > .live-mark").append(" ", button);
  }

  mark(text) {
    let mark = this.root.querySelector(":scope > .live-mark");
    if (!mark && text) {
      mark = document.createElement("p");
      mark.className = "live-mark";
      mark.setAttribute("role", "status");
      this.root.append(mark);
    }
    if (mark) mark.hidden = !text;
    if (mark && text) mark.textContent = text;
  }

  close() {
    clearTimeout(this.timer);
    this.source.close();
  }
}

function wanted(root) {
  const kinds = new Set(["restarted", ...names(root.dataset.liveKinds)]);
  for (const child of within(root, "[data-live-append]")) kinds.add(child.dataset.liveAppend);
  for (const child of within(root, "[data-live-picture]")) kinds.add(child.dataset.livePicture);
  for (const child of within(root, "[data-live-refresh]")) names(child.dataset.liveRefresh).forEach((k) => kinds.add(k));
  for (const child of within(root, "[data-live-progress]")) kinds.add(child.dataset.liveProgress || "progress");
  return kinds;
}

const names = (text) => (text || "").split(/\s+/).filter(Boolean);
const within = (root, selector) => [...(root.matches(selector) ? [root] : []), ...root.querySelectorAll(selector)];

function act(root, kind, data) {
  for (const child of within(root, "[data-live-append]")) {
    if (kind === "restarted") clear(child);
    else if (child.dataset.liveAppend === kind && String(data.sample) === child.dataset.sample) append(child, data);
  }
  for (const child of within(root, "[data-live-picture]")) {
    if (kind === "restarted") draw(child, {});
    else if (child.dataset.livePicture === kind && String(data.sample) === child.dataset.sample) draw(child, data.payload || {});
  }
  for (const child of within(root, "[data-live-progress]")) {
    if (kind === "restarted") showProgress(child, { done: 0, planned: 0 });
    else if ((child.dataset.liveProgress || "progress") === kind) showProgress(child, data);
  }
  for (const child of within(root, "[data-live-refresh]")) {
    if (names(child.dataset.liveRefresh).includes(kind)) refresh(child);
  }
}

// Text that is being written ---------------------------------------------------------------------------------------

const writing = new WeakMap(); // element → {idle, spoken, unsaid}

function append(element, data) {
  const text = data.append ?? data.payload?.append ?? "";
  if (!text) return;
  element.append(text);
  element.classList.add("is-writing");
  const state = writing.get(element) || { unsaid: "", timer: 0 };
  writing.set(element, state);
  clearTimeout(state.idle);
  state.idle = setTimeout(() => element.classList.remove("is-writing"), 2500);
  state.unsaid += text;
  state.timer ||= setTimeout(() => speak(element, state), SPEAK_GAP_MS);
}

// A screen reader hears whole stretches now and then, not every word.
function speak(element, state) {
  const region = element.parentElement?.querySelector("[data-live-spoken]");
  if (region) region.textContent = state.unsaid;
  state.unsaid = "";
  state.timer = 0;
}

function clear(element) {
  element.textContent = "";
  element.classList.remove("is-writing");
}

// A picture that is being made: each takes the place of the one before ----------------------------------------------

const PICTURE = /^data:image\/(png|webp);base64,/;

function draw(element, { image = "", width = 0, height = 0 }) {
  const shown = element.querySelector("img");
  const known = PICTURE.test(image);
  if (!shown || (image && !known)) return;
  shown.hidden = !known;
  element.classList.toggle("is-shown", known);
  if (!known) return void shown.removeAttribute("src");
  [shown.width, shown.height] = [width, height];
  shown.src = image;
}

// Progress ---------------------------------------------------------------------------------------------------------

function showProgress(element, { done = 0, planned = 0, stage = "", note = "", seconds_left: left = null }) {
  const bar = element.querySelector("progress");
  if (bar && planned > 0) {
    bar.max = planned;
    bar.value = done;
  } else if (bar) {
    bar.removeAttribute("value");
  }
  put(element, "steps", planned > 0 ? word("steps", { done, planned }) : "");
  put(element, "left", timeLeft(left));
  put(element, "note", note || stage);
}

function put(element, part, text) {
  const place = element.querySelector(`[data-progress-${part}]`);
  if (place && place.textContent !== text) place.textContent = text;
}

function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 50) return word("seconds-left", { n: Math.max(5, Math.ceil(seconds / 5) * 5) });
  return word("minutes-left", { n: Math.ceil(seconds / 60) });
}

// Parts that are fetched anew --------------------------------------------------------------------------------------

const refreshing = new Map(); // id → {again}

async function refresh(element) {
  const id = element.dataset.refreshId || element.id;
  if (!id) return console.error("data-live-refresh needs an id", element);
  if (refreshing.has(id)) return void (refreshing.get(id).again = true);
  const state = { again: false };
  refreshing.set(id, state);
  try {
    const response = await fetch(element.dataset.refreshUrl || location.href, { headers: { "X-Refresh": id } });
    if (response.ok) {
      const html = await response.text();
      for (const part of [id, ...names(element.dataset.refreshWith)]) swap(part, html);
    }
  } catch {
    // The stream's own mark tells that the connection is lost; the next event tries again.
  }
  setTimeout(() => {
    refreshing.delete(id);
    const now = document.getElementById(id);
    if (state.again && now) refresh(now);
  }, REFRESH_GAP_MS);
}

function swap(id, html) {
  const old = document.getElementById(id);
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(id);
  if (!old || !fresh) return;
  const active = document.activeElement;
  // Never take away a field that someone is typing in.
  if (old.contains(active) && active.matches("input, textarea, select")) {
    return active.addEventListener("blur", () => swap(id, html), { once: true });
  }
  const focused = old.contains(active) && active.id;
  const open = [...old.querySelectorAll("details[open][id]")].map((details) => details.id);
  old.replaceWith(fresh);
  open.forEach((name) => document.getElementById(name)?.setAttribute("open", ""));
  if (focused) document.getElementById(focused)?.focus();
  window.htmx?.process(fresh);
  enhance(fresh);
  connect();
}

// Open what is new on the page, close what left it.
export function connect() {
  for (const [root, stream] of streams) {
    if (root.isConnected) continue;
    stream.close();
    streams.delete(root);
  }
  for (const root of document.querySelectorAll("[data-live]")) {
    if (streams.has(root)) streams.get(root).listen();
    else streams.set(root, new Stream(root));
  }
}

connect();
document.addEventListener("htmx:afterSettle", connect);
addEventListener("pagehide", () => streams.forEach((stream) => stream.close()));
addEventListener("pageshow", (event) => {
  if (event.persisted) streams.forEach((stream) => stream.start());
});
