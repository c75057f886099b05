// SPARQL in the page: the engine and the graph are scripts of this site, so that it works from a file, too.
"use strict";
var provkgShard;
(function () {
  const shards = Number(document.currentScript.dataset.shards);
  const form = document.getElementById("ask"), query = document.getElementById("query"), button = document.getElementById("run");
  const told = document.getElementById("told"), answer = document.getElementById("answer"), example = document.getElementById("example");
  const most = 5000;
  let store = null;

  function say(text) { told.textContent = text; }

  function script(place) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = place;
      element.onload = () => { element.remove(); resolve(); };
      element.onerror = () => reject(new Error(place + " cannot be loaded"));
      document.head.append(element);
    });
  }

  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  async function load() {
    say("The engine is being loaded…");
    await script("static/oxigraph-code.js");
    const code = await unpacked(oxigraphCode);
    oxigraphCode = "";
    await oxigraph.init({ module_or_path: code });
    const fresh = new oxigraph.Store();
    for (let number = 1; number <= shards; number += 1) {
      say("The graph is being loaded: " + number + " of " + shards + "…");
      let packed = "";
      provkgShard = (_, text) => { packed = text; };
      await script("graph/graph-" + String(number).padStart(4, "0") + ".js");
      const text = new TextDecoder().decode(await unpacked(packed));
      fresh.load(text, { format: "application/n-quads", unchecked: true, no_transaction: true });
    }
    store = fresh;
  }

  function shown(term) {
    const element = document.createElement(term && term.termType === "Literal" ? "span" : "code");
    element.textContent = term ? term.value : "";
    return element;
  }

  function table(rows) {
    const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
    const element = document.createElement("table"), head = element.createTHead().insertRow(), body = element.createTBody();
    for (const name of names) {
      const cell = document.createElement("th");
      cell.textContent = name;
      head.append(cell);
    }
    for (const row of rows.slice(0, most)) {
      const line = body.insertRow();
      for (const name of names) { line.insertCell().append(shown(row.get(name))); }
    }
    return element;
  }

  function show(result) {
    if (typeof result === "boolean") { answer.textContent = String(result); return "answered"; }
    if (result.length && result[0] instanceof Map) { answer.replaceChildren(table(result)); return result.length + (result.length === 1 ? " row" : " rows"); }
    const text = document.createElement("pre");
    text.textContent = result.slice(0, most).map((quad) => quad.toString() + " .").join("\n");
    answer.replaceChildren(text);
    return result.length ? result.length + " statements" : "0 rows";
  }

  async function run(event) {
    event.preventDefault();
    button.disabled = true;
    answer.replaceChildren();
    try {
      if (store === null) { await load(); }
      say("Running…");
      await new Promise((resolve) => setTimeout(resolve, 0));
      const start = performance.now();
      const result = store.query(query.value, { use_default_graph_as_union: true });
      const seconds = ((performance.now() - start) / 1000).toFixed(2);
      const count = show(result);
      say(count + " in " + seconds + " s" + (result.length > most ? ", the first " + most + " shown" : ""));
    } catch (error) {
      say("");
      const text = document.createElement("p");
      text.className = "error";
      text.textContent = String(error.message || error);
      answer.replaceChildren(text);
    }
    button.disabled = false;
  }

  form.addEventListener("submit", run);
  example.addEventListener("change", () => { query.value = example.value; });
})();
