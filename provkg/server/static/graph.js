// Where scripts run, a click in the graph changes the graph alone; without scripts the same links load the page.
const place = document.getElementById("graph");

async function show(address, remember) {
  place.classList.add("wait");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("graph");
    if (!found) throw new Error("no graph");
    place.replaceChildren(...found.childNodes);
    if (remember) history.pushState({}, "", address);
    place.querySelector("figure")?.focus({ preventScroll: true });
  } catch {
    location.assign(address);
  } finally {
    place.classList.remove("wait");
  }
}

place.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const address = new URL(link.getAttribute("href") ?? link.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? "", location.href);
  if (address.origin !== location.origin || address.pathname !== location.pathname || address.searchParams.has("format")) return;
  event.preventDefault();
  show(address.href, true);
});

place.addEventListener("submit", (event) => {
  event.preventDefault();
  const address = new URL(event.target.action);
  address.search = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value));
  show(address.href, true);
});

addEventListener("popstate", () => show(location.href, false));
