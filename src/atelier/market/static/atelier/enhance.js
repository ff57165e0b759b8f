// Small helps on top of plain HTML: each works on the attributes named in README.md, and none is needed.

const words = document.getElementById("words")?.dataset ?? {};

// A translated phrase from base.html, with {name} filled in.
export function word(name, values = {}) {
  const key = name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  return (words[key] || "").replace(/\{(\w+)\}/g, (_, slot) => values[slot] ?? "");
}

export function enhance(root = document) {
  root.querySelectorAll("time[data-relative]").forEach(showRelative);
  root.querySelectorAll("textarea[data-count]").forEach(countWords);
  root.querySelectorAll("input[type=file][data-drop]").forEach(makeDropZone);
  root.querySelectorAll("[data-needs-js]").forEach((element) => (element.hidden = false));
  root.querySelectorAll("details.confirm").forEach(makeDialog);
  root.querySelector("[data-focus]")?.focus();
}

// Submit once: the second click of a double click does nothing; values stay and the pressed button is still sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-many")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  const button = event.submitter;
  button?.setAttribute("aria-busy", "true");
  setTimeout(() => release(form, button), 8000);
});

function release(form, button) {
  delete form.dataset.sent;
  button?.removeAttribute("aria-busy");
}

document.addEventListener("htmx:afterRequest", ({ target }) => release(target, target.querySelector?.("[aria-busy]")));
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => release(form, form.querySelector("[aria-busy]"))));

// Copy: <button data-copy="text"> or data-copy-from="#id"
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  try {
    await navigator.clipboard.writeText(source ? (source.value ?? source.textContent) : button.dataset.copy);
    say(button, word("copied"));
  } catch {
    say(button, word("copy-failed"));
  }
});

function say(button, text) {
  const before = button.dataset.label || button.textContent;
  button.dataset.label = before;
  button.setAttribute("aria-live", "polite");
  button.textContent = text;
  setTimeout(() => (button.textContent = before), 2000);
}

// Light and dark: kept in a cookie that the server reads, so that no page flashes.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-theme-choice]");
  if (!button) return;
  const choice = button.dataset.themeChoice;
  const age = choice ? 31536000 : 0;
  document.cookie = `theme=${choice}; path=/; max-age=${age}; samesite=lax`;
  if (choice) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
  button.closest("details")?.removeAttribute("open");
});

// Menus close on a click elsewhere and on Escape.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => menu.contains(event.target) || (menu.open = false));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

const SPANS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

function showRelative(element) {
  const seconds = (new Date(element.dateTime) - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return;
  element.title ||= element.textContent.trim();
  const [unit, size] = SPANS.find(([, length]) => Math.abs(seconds) >= length) || ["second", 1];
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
  element.textContent = format.format(unit === "second" ? 0 : Math.round(seconds / size), unit);
}

setInterval(() => document.querySelectorAll("time[data-relative]").forEach(showRelative), 30000);

function countWords(area) {
  if (area.dataset.counting) return;
  area.dataset.counting = "yes";
  const place = document.createElement("p");
  place.className = "count";
  area.after(place);
  const count = () => (place.textContent = word("words", { n: (area.value.match(/\S+/g) || []).length }));
  area.addEventListener("input", count);
  count();
}

// <input type=file data-drop>: a place to drop files on, with the list of what was chosen.
function makeDropZone(input) {
  const zone = input.closest(".drop") || wrap(input);
  const list = Object.assign(document.createElement("ul"), { className: "drop__files" });
  zone.append(list);
  const show = () => list.replaceChildren(...[...input.files].map((file) => Object.assign(document.createElement("li"), { textContent: `${file.name} · ${size(file.size)}` })));
  input.addEventListener("change", show);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("is-over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("is-over");
    const all = new DataTransfer();
    const dropped = [...event.dataTransfer.files];
    for (const file of input.multiple ? [...input.files, ...dropped] : dropped.slice(0, 1)) all.items.add(file);
    input.files = all.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function wrap(input) {
  const zone = Object.assign(document.createElement("div"), { className: "drop" });
  const hint = Object.assign(document.createElement("p"), { className: "help", textContent: word("drop-here") });
  input.before(zone);
  zone.append(hint, input);
  return zone;
}

function size(bytes) {
  const format = (value, unit) => new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
  return bytes < 1e6 ? format(bytes / 1e3, "kilobyte") : format(bytes / 1e6, "megabyte");
}

// A destructive act asks in a dialog; without script the same form opens in place.
function makeDialog(details) {
  const dialog = Object.assign(document.createElement("dialog"), { className: "dialog confirm" });
  const form = details.querySelector("form");
  const heading = form.querySelector("h2, h3");
  if (heading?.id) dialog.setAttribute("aria-labelledby", heading.id);
  details.querySelector("summary").addEventListener("click", (event) => {
    event.preventDefault();
    document.body.append(dialog);
    dialog.append(form);
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}

enhance();
document.addEventListener("htmx:afterSettle", (event) => enhance(event.target));
