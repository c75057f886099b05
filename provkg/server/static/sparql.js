// The editor, where scripts run. It asks this server alone: the endpoint is fixed, and nothing is completed from elsewhere.
const at = document.getElementById("yasgui");
const endpoint = new URL(at.dataset.endpoint, location.href).href;
const plain = document.getElementById("plain");
const start = plain.querySelector("textarea").value;

Yasgui.Yasqe.defaults.autocompleters = [];
const yasgui = new Yasgui(at, {
  requestConfig: { endpoint, method: "POST" },
  copyEndpointOnNewTab: true,
  endpointCatalogueOptions: { getData: () => [] },
  endpointInfo: undefined,
  persistenceId: "provkg " + endpoint,
  yasqe: { value: start, createShareableLink: null },
});
const tab = yasgui.getTab();
if (tab && tab.getEndpoint() !== endpoint) tab.setEndpoint(endpoint);
plain.hidden = true;
for (const each of at.querySelectorAll("textarea:not([aria-label])")) each.setAttribute("aria-label", "SPARQL query");

for (const each of document.querySelectorAll("pre[data-name]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Take into the editor";
  button.addEventListener("click", () => yasgui.getTab().setQuery(each.textContent));
  each.before(button);
}
