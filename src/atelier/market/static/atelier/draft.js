// A sample that follows its words: <div data-draft="URL"> around a form and a picture. See README.md for the attributes.
// Without it the form is sent as any other. One request is under way at a time; what is typed meanwhile waits for it.
const PAUSE_MS = 300;
const PATIENCE_MS = 10000;
const PICTURE = /^data:image\/(png|webp);base64,/;

function words(form) {
  const told = (value) => (value instanceof File ? value.name && [value.name, value.size, value.lastModified] : value);
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  return JSON.stringify(fields.map(([name, value]) => [name, told(value)]));
}

function pristine(form) {
  const copy = form.cloneNode(true);
  copy.reset();
  return words(copy);
}

class Draft {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("form");
    this.frame = root.querySelector("[data-draft-shown]");
    this.picture = this.frame.querySelector("img");
    this.status = root.querySelector("[data-draft-status]");
    const undo = root.querySelector("[data-draft-undo]");
    const { width, height, alt } = this.picture;
    // Where it cannot be undone in place, the form came back with other words than the picture has.
    this.first = { words: undo ? pristine(this.form) : "", src: this.picture.getAttribute("src"), width, height, alt };
    this.shown = this.first.words; // the words that the picture has
    this.turn = 0; // what is under way; an answer to any other comes too late
    this.form.addEventListener("input", () => this.later(PAUSE_MS));
    this.form.addEventListener("submit", () => this.keep());
    root.addEventListener("live:drawn", ({ detail }) => this.hear(detail));
    undo?.addEventListener("click", (event) => {
      event.preventDefault();
      this.form.reset();
      this.send();
    });
    addEventListener("pageshow", () => this.open()); // A browser may bring back what was typed before.
  }

  open() {
    this.kept = false;
    if (!this.form.querySelector(".field--bad")) this.send();
  }

  keep() {
    this.stop();
    this.kept = true;
  }

  later(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), pause);
  }

  stop() {
    clearTimeout(this.timer);
    this.turn += 1;
    this.state = null;
    this.again = false;
    this.free();
  }

  free() {
    clearTimeout(this.patience);
    this.busy = false;
    this.frame.removeAttribute("aria-busy");
  }

  async send() {
    const now = words(this.form);
    if (this.kept) return;
    if (now === this.first.words) return this.back();
    if (this.busy) return void (this.again = true);
    if (now === this.shown) return this.end("drawn", {});
    this.stop();
    const turn = this.turn;
    [this.busy, this.asked] = [true, now];
    this.frame.setAttribute("aria-busy", "true");
    this.patience = setTimeout(() => this.slow(), PATIENCE_MS);
    try {
      const answer = await fetch(this.root.dataset.draft, { method: "POST", body: new FormData(this.form) });
      const { state, errors } = await answer.json();
      if (turn !== this.turn) return;
      if (errors) return this.end("", errors);
      this.state = state;
      if (this.heard?.state === state) this.hear(this.heard);
    } catch {
      if (turn === this.turn) this.end("failed");
    }
  }

  // News may come before the answer that names its state.
  hear(news) {
    this.heard = news;
    if (news.state !== this.state) return;
    const { problem, image = "", width, height, told } = news;
    if (problem) return this.end("", { [`id_brief_${problem.field}`]: problem.message });
    if (!PICTURE.test(image)) return this.end("failed");
    this.put({ words: this.asked, src: image, width, height, alt: told });
    this.end("drawn", {});
  }

  put({ words, src, width, height, alt }) {
    this.shown = words;
    Object.assign(this.picture, { width, height, alt, src });
  }

  back() {
    if (this.shown === this.first.words && !this.busy && !this.status.textContent) return;
    this.stop();
    this.complain({});
    this.put(this.first);
    this.say("first");
  }

  // The answer is shown when it comes after all, unless other words were sent by then.
  slow() {
    this.free();
    this.say("slow");
    if (this.again) this.send();
  }

  end(outcome, errors) {
    const { again } = this;
    this.stop();
    if (errors) this.complain(errors);
    if (outcome) this.say(outcome);
    if (again) this.send();
  }

  // Errors stand at their fields as the server would have put them, and are told; the picture stays.
  complain(errors) {
    this.root.querySelectorAll(".field--bad > .error").forEach((note) => {
      note.parentElement.classList.remove("field--bad");
      const control = document.getElementById(note.id.replace(/_error$/, ""));
      control?.removeAttribute("aria-invalid");
      control?.setAttribute("aria-describedby", (control.getAttribute("aria-describedby") || "").replace(note.id, "").trim());
      note.remove();
    });
    const told = Object.entries(errors).map(([id, text]) => this.note(document.getElementById(id), text));
    if (told.length) this.status.textContent = told.join(" ");
  }

  note(control, text) {
    const field = control?.closest(".field");
    if (!field) return text;
    const note = this.root.querySelector("[data-draft-error]").content.firstElementChild.cloneNode(true);
    note.querySelector("span").textContent = text;
    note.id = `${control.id}_error`;
    const help = field.querySelector(":scope > .help");
    help ? help.before(note) : field.append(note);
    field.classList.add("field--bad");
    if (control !== field) control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", `${note.id} ${control.getAttribute("aria-describedby") || ""}`.trim());
    return `${field.querySelector(".field__label, label, legend").firstChild.textContent.trim()}: ${text}`;
  }

  // Said anew each time, so that whoever listens hears of every new picture.
  say(outcome) {
    this.status.replaceChildren(this.status.dataset[outcome]);
  }
}

document.querySelectorAll("[data-draft]").forEach((root) => new Draft(root));
