// How far to trust it: the verdicts of an evaluation's report, if the page has one; then the page begins.

function startTrust() {
  const { links } = contents;
  if (!links) {
    at("trust").append(make("p", { className: "lacks", textContent: contents.lacks.report }));
    return;
  }
  const causes = [...new Set(links.map((link) => link.cause))], effects = [...new Set(links.map((link) => link.effect))];
  const sentence = make("p", { textContent: "Choose a verdict to see its sentence." });
  sentence.setAttribute("role", "status");
  const table = make("table", {}, make("caption", { textContent: "Does each link show in the images as the label model says?" }));
  const head = (text, scope) => {
    const cell = make("th", { textContent: text });
    cell.scope = scope;
    return cell;
  };
  table.append(make("thead", {}, make("tr", {}, head("cause", "col"), ...effects.map((name) => head(spoken(name), "col")))));
  const body = make("tbody");
  for (const cause of causes) {
    const row = make("tr", {}, head(spoken(cause), "row"));
    for (const effect of effects) {
      const cell = make("td");
      for (const link of links.filter((one) => one.cause === cause && one.effect === effect)) {
        const button = make("button", { type: "button", textContent: link.verdict });
        button.dataset.verdict = link.verdict;
        button.onclick = () => { sentence.textContent = link.sentence; };
        button.setAttribute("aria-label", `${spoken(cause)} to ${spoken(effect)}, ${link.approach}: ${link.verdict}`);
        cell.append(button);
      }
      row.append(cell);
    }
    body.append(row);
  }
  table.append(body);
  const scrolled = make("div", { className: "scroll", tabIndex: 0 }, table);
  scrolled.setAttribute("role", "region");
  scrolled.setAttribute("aria-label", "Verdicts");
  at("trust").append(scrolled, sentence);
}

readLink();
startAsking();
startNoise();
startPhotograph();
startTrust();
if (model) showChoices();
answer();
onhashchange = () => {
  forgetPerson();
  readLink();
  if (model) showChoices();
  answer();
};
