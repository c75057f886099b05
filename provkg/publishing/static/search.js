// Search a site that may lie on a disk: the index is a script, and all that is found is shown as text.
"use strict";
(function () {
  const form = document.getElementById("search"), field = document.getElementById("q");
  const told = document.getElementById("told"), list = document.getElementById("found");
  const most = 50;
  const lower = provkgIndex.map((entry) => entry[0].toLowerCase());
  form.hidden = false;

  function find() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.replaceChildren();
    if (!words.length) { told.textContent = ""; return; }
    const hits = [];
    for (let at = 0; at < lower.length; at += 1) {
      if (words.every((word) => lower[at].includes(word))) { hits.push(at); }
    }
    hits.sort((a, b) => score(a, words[0]) - score(b, words[0]) || lower[a].length - lower[b].length || a - b);
    told.textContent = hits.length + (hits.length === 1 ? " match" : " matches") + (hits.length > most ? ", the first " + most : "");
    for (const at of hits.slice(0, most)) {
      const [name, kind, page] = provkgIndex[at];
      const item = document.createElement("li"), link = document.createElement("a"), small = document.createElement("small");
      link.href = page + ".html";
      link.textContent = name;
      small.textContent = " " + kind;
      item.append(link, small);
      list.append(item);
    }
  }

  function score(at, word) {
    const name = lower[at], last = name.slice(name.lastIndexOf("/") + 1);
    if (name === word || last === word) { return 0; }
    return last.startsWith(word) ? 1 : last.includes(word) ? 2 : 3;
  }

  field.addEventListener("input", find);
  form.addEventListener("submit", (event) => { event.preventDefault(); find(); });
  const asked = new URLSearchParams(location.search).get("q");
  if (asked) { field.value = asked; find(); }
})();
