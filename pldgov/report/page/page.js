
"use strict";
// The page is complete without this script: it only hides what a filter leaves out, and shows what
// a link leads to. It reads text and never writes markup.

const choices = JSON.parse(document.getElementById("facets").textContent);

class Filter {
  constructor(form) {
    this.form = form;
    this.values = choices[form.dataset.kind];
    this.section = form.closest("section");
    this.entries = [...this.section.querySelectorAll(".entry")];
    this.none = this.section.querySelector(".none");
    this.output = form.querySelector("output");
    this.texts = null;
    form.hidden = false;
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.apply());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => this.apply()));
    const later = window.requestIdleCallback || setTimeout;
    later(() => this.read());
    this.apply(); // a browser may have kept what was entered before
  }

  read() {
    this.texts ??= this.entries.map((entry) => entry.textContent.toLowerCase());
  }

  apply() {
    const words = this.form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.keys(this.values)
      .map((name) => [this.values[name], this.form.elements[name].value])
      .filter(([, value]) => value !== "")
      .map(([has, value]) => [has, Number(value)]);
    if (words.length) this.read();
    let shown = 0;
    this.entries.forEach((entry, at) => {
      const fits =
        chosen.every(([has, value]) => has[at].includes(value)) &&
        words.every((word) => this.texts[at].includes(word));
      if (entry.hidden === fits) entry.hidden = !fits;
      if (fits) shown += 1;
    });
    const total = this.entries.length;
    const noun = this.form.dataset.noun + (total === 1 ? "" : "s");
    this.output.textContent = shown === total ? `${total} ${noun}` : `${shown} of ${total} ${noun}`;
    this.none.hidden = shown > 0 || total === 0;
  }
}

const filters = [...document.querySelectorAll("form.filter")].map((form) => new Filter(form));

function showTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target || !target.classList.contains("entry")) return;
  if (target.hidden) {
    const filter = filters.find((one) => one.section.contains(target));
    filter.form.reset();
    filter.apply();
  }
  target.querySelectorAll("details").forEach((one) => { one.open = true; });
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView();
  // What lies between was never laid out: once it is, the place may have moved.
  requestAnimationFrame(() => target.scrollIntoView());
}

window.addEventListener("hashchange", showTarget);
showTarget();

let closed = [];
window.addEventListener("beforeprint", () => {
  closed.push(...document.querySelectorAll("details:not([open])"));
  closed.forEach((one) => { one.open = true; });
});
window.addEventListener("afterprint", () => {
  closed.forEach((one) => { one.open = false; });
  closed = [];
});
