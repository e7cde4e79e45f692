// Ask: a sentence or the switches of the graph; the answer in pictures, in words and in exact probabilities.

const DRAWS = 6, STICKY = { do: 1, observe: 0.53 };
const cards = new Map();
const newestAnswer = newest();

/** Return 1 where two images agree, falling to 0 where they differ: (64, 64). Blurred by a 5x5 binomial kernel. */
function agreement(before, after) {
  const kernel = [1, 4, 6, 4, 1].map((weight) => weight / 16), clamp = (i) => Math.min(Math.max(i, 0), SIDE - 1);
  let apart = new Float32Array(AREA), next = new Float32Array(AREA);
  for (let p = 0; p < AREA; p++) {
    for (let c = 0; c < 3; c++) apart[p] += Math.abs(after[c * AREA + p] - before[c * AREA + p]) / 3;
  }
  for (const across of [true, false]) {
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        let sum = 0;
        for (let k = -2; k <= 2; k++) {
          sum += kernel[k + 2] * (across ? apart[y * SIDE + clamp(x + k)] : apart[clamp(y + k) * SIDE + x]);
        }
        next[y * SIDE + x] = sum;
      }
    }
    [apart, next] = [next, apart];
  }
  return apart.map((value) => Math.exp(-value / contents.fading));
}

/** The image of this person in another world; a photograph keeps its residual where the generator agrees. */
async function otherImage(person, noise, labels) {
  const same = noise.every((value, i) => value === person.noise[i]);
  const keeps = person.residual && same && at("residual").checked;
  if (same && labels.every((value, i) => value === person.labels[i])) return keeps ? person.photograph : person.image;
  const image = await generated(noise, labels);
  if (!keeps) return image;
  const kept = agreement(person.image, image);
  return image.map((value, p) => Math.min(Math.max(value + kept[p % AREA] * person.residual[p], 0), 1));
}

/** Show the person and the answer to the question; the newest call wins. */
async function answer() {
  const current = newestAnswer(), words = at("changed");
  words.setAttribute("aria-busy", "true");
  await showAnswer(current);
  if (current()) words.setAttribute("aria-busy", "false");
}

async function showAnswer(current) {
  const { question, given } = state;
  writeLink();
  if (!state.person) state.person = personOf(state.seed, given);
  const { person } = state;
  if (!person) {
    const blank = at("actual");
    blank.getContext("2d").clearRect(0, 0, SIDE, SIDE);
    blank.setAttribute("aria-label", "Nobody");
    showProbabilities(null, null, false);
    return nobody("Under the label model nobody is like that.");
  }
  person.image = person.image ?? await generated(person.noise, person.labels);
  if (!current()) return;
  show(at("actual"), person.photograph ?? person.image, `This person: ${described(person.labels)}`);
  showCoordinates();
  if (!model) return;
  const asked = Object.keys(question.antecedent).length > 0;
  const facts = person.known ? factsOf(person.labels) : given;
  showProbabilities(model.answer(facts, question), model.answer(factsOf(person.labels), question), asked);
  for (const part of document.querySelectorAll(".answer")) part.hidden = !asked;
  at("changed").textContent = asked ? "" : `This person: ${described(person.labels)}. Now say what is changed.`;
  if (!asked) return;
  const random = randomFrom(977 * state.seed + 31 * state.draw + 5), others = [];
  for (let i = 0; i < DRAWS; i++) {
    const labels = model.counterfactual(person.labels, question, random);
    if (!labels) {
      return nobody("This cannot be observed for this person at this stickiness. Lower the stickiness, or choose do.");
    }
    others.push({ labels, noise: otherNoise(person.noise, question.stickiness, contents.truncation, random, Boolean(person.residual)) });
  }
  at("changed").textContent = inWords(person.labels, others.map(({ labels }) => labels), question);
  const strip = others.map((_, i) => picture(`Draw ${i + 1}`));
  at("draws").replaceChildren(...strip);
  for (const [i, { labels, noise }] of others.entries()) {
    const image = await otherImage(person, noise, labels);
    if (!current()) return;
    show(strip[i], image, `Draw ${i + 1}: ${described(labels)}`);
    if (i > 0) continue;
    show(at("counterfactual"), image, `In the other world: ${described(labels)}`);
    const actual = person.residual && at("residual").checked ? person.photograph : person.image;
    show(at("difference"), image.map((value, p) => (value - actual[p] + 1) / 2), "Difference; grey is no change");
    showArrows();
  }
}

function nobody(why) {
  at("changed").textContent = why;
  for (const part of document.querySelectorAll(".answer")) part.hidden = true;
}

const factsOf = (labels) => mapping(names.map((name, i) => [name, labels[i]]));
const stated = (values) => Object.entries(values).map(([name, value]) => `${spoken(name)} = ${value}`).join(", ");
const yes = (value) => (value ? "yes" : "no");

/** What changed, in words: the first draw, and how often in all draws. */
function inWords(labels, others, { antecedent }) {
  const asked = [], changed = [], kept = [];
  names.forEach((name, i) => {
    const often = others.filter((other) => other[i] !== labels[i]).length;
    if (name in antecedent) asked.push(`${spoken(name)} ${yes(labels[i])} → ${yes(antecedent[name])}`);
    else if (often) changed.push(`${spoken(name)} ${yes(labels[i])} → ${yes(!labels[i])} in ${often} of ${others.length}`);
    else kept.push(spoken(name));
  });
  const also = changed.length ? `Changed with it: ${changed.join("; ")}.` : "Nothing else changed in these draws.";
  return `Asked: ${asked.join("; ")}. ${also}${kept.length ? ` Unchanged: ${kept.join(", ")}.` : ""}`;
}

// The labels as cards, by generations of the graph, with arrows between them.
function makeCards() {
  for (const generation of contents.generations) {
    const row = make("div", { className: "generation" });
    for (const name of generation) {
      const chosen = (key, what) => {
        const select = make("select", {}, new Option(key === "given" ? "any" : "as it falls", ""), new Option("no", "0"),
          new Option("yes", "1"));
        select.setAttribute("aria-label", `${what} ${spoken(name)}`);
        select.onchange = () => chose(key, name, select.value);
        return select;
      };
      const parts = {
        card: make("div", { className: "label" }), now: make("p"), chance: make("p"), given: chosen("given", "Given:"),
        antecedent: chosen("antecedent", "What if:"), bar: make("div", { className: "bar" }, make("i"), make("i")),
      };
      parts.bar.setAttribute("aria-hidden", "true");
      parts.card.append(make("h3", { textContent: spoken(name) }), parts.now, parts.chance, parts.bar,
        make("label", {}, "Given", parts.given), make("label", {}, "What if", parts.antecedent));
      cards.set(name, parts);
      row.append(parts.card);
    }
    at("network").append(row);
  }
  new ResizeObserver(showArrows).observe(at("network"));
}

function chose(key, name, value) {
  at("understood").textContent = "";
  const values = key === "given" ? state.given : state.question.antecedent;
  if (value === "") delete values[name]; else values[name] = Number(value);
  if (key === "given") forgetPerson();
  showChoices();
  answer();
}

/** Show the state in all controls. */
function showChoices() {
  const { antecedent, mode, stickiness } = state.question, known = Boolean(state.person?.known);
  at("mode").value = mode;
  at("stickiness").value = stickiness;
  at("stickiness-shown").textContent = stickiness.toFixed(2);
  at("residual-choice").hidden = !state.person?.residual;
  for (const [name, parts] of cards) {
    parts.given.value = (known ? factsOf(state.person.labels) : state.given)[name] ?? "";
    parts.given.disabled = known;
    parts.antecedent.value = antecedent[name] ?? "";
    parts.card.classList.toggle("asked", name in antecedent);
  }
}

const percent = (share) => (share > 0 && share < 0.01 ? "< 1%" : share < 1 && share > 0.99 ? "> 99%" : `${Math.round(100 * share)}%`);
let passed = mapping(); // how much each label's probability moved, of this person

/** Show the probabilities before and after: of all who are like that, and of this person. */
function showProbabilities(all, own, asked) {
  const how = all?.exact === false ? `estimated from ${SAMPLES.toLocaleString("en")} samples` : "exact";
  const whom = state.person?.known ? "this person" : "all people like the one given";
  at("exactness").textContent = all ? `The percentages are ${how}. They are of ${whom}, before and after the change.`
    : "This has probability 0 under the label model.";
  passed = mapping();
  names.forEach((name, i) => {
    const { card, now, chance, bar } = cards.get(name), labels = state.person?.labels;
    now.textContent = labels ? `this person: ${yes(labels[i])}` : "nobody";
    chance.textContent = !all ? "–" : asked ? `${percent(all.before[i])} → ${percent(all.after[i])}` : percent(all.before[i]);
    chance.title = all ? `P = ${all.before[i].toFixed(6)}${asked ? `, then ${all.after[i].toFixed(6)}` : ""}` : "";
    bar.children[0].style.width = `${100 * (all?.before[i] ?? 0)}%`;
    bar.children[1].style.width = `${100 * ((asked ? all?.after[i] : all?.before[i]) ?? 0)}%`;
    passed[name] = own && asked ? Math.abs(own.after[i] - labels[i]) : 0;
    card.classList.toggle("moved", passed[name] > 0.01 && !(name in state.question.antecedent));
  });
  showArrows();
}

/** Draw the arrows between the cards; those light up along which an effect was passed on. */
function showArrows() {
  const frame = at("network").getBoundingClientRect(), lines = [], svg = (tag, properties) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(properties)) element.setAttribute(key, value);
    return element;
  };
  const { antecedent, mode } = state.question;
  for (const [parent, child] of contents.edges) {
    const from = cards.get(parent).card.getBoundingClientRect(), to = cards.get(child).card.getBoundingClientRect();
    const x0 = from.left + from.width / 2 - frame.left, y0 = from.bottom - frame.top;
    const x1 = to.left + to.width / 2 - frame.left, y1 = to.top - frame.top, bend = Math.max((y1 - y0) / 2, 20);
    const lit = Math.min(passed[parent] ?? 0, passed[child] ?? 0) > 0.01 && !(mode === "do" && child in antecedent);
    const path = svg("path", { d: `M${x0} ${y0}C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1 - 7}` });
    const tip = svg("path", { d: `M${x1 - 5} ${y1 - 8}L${x1 + 5} ${y1 - 8}L${x1} ${y1}Z` });
    path.setAttribute("class", lit ? "passed" : "");
    path.dataset.edge = `${parent}>${child}`;
    tip.setAttribute("class", lit ? "passed-tip" : "tip");
    lines[lit ? "push" : "unshift"](path, tip);
  }
  at("arrows").replaceChildren(...lines);
}

const LINKED = "It works only with this same file. It does not hold photographs or moved sliders.";

function startAsking() {
  at("another").onclick = () => {
    Object.assign(state, { seed: (state.seed % 999999999) + 1, draw: 0 });
    forgetPerson();
    showChoices();
    answer();
  };
  at("copy").onclick = async () => {
    writeLink();
    try {
      await navigator.clipboard.writeText(location.href);
      say(`The link is copied. ${LINKED}`);
    } catch {
      say(`The address of this page is the link. ${LINKED}`);
    }
  };
  if (!model) return lacks("asking", contents.lacks.labels, ["redraw", "changed", "exactness", "network", "draws", "controls"]);
  makeCards();
  at("redraw").onclick = () => { state.draw += 1; answer(); };
  at("residual").onchange = answer;
  at("mode").onchange = () => {
    const mode = at("mode").value;
    Object.assign(state.question, { mode, stickiness: STICKY[mode] });
    at("understood").textContent = "";
    showChoices();
    answer();
  };
  at("stickiness").oninput = () => {
    state.question.stickiness = Number(at("stickiness").value);
    showChoices();
    answer();
  };
  for (const text of contents.examples) {
    at("chips").append(make("button", { type: "button", textContent: text, onclick: () => ask(text) }));
  }
  at("sentence").onsubmit = (event) => { event.preventDefault(); ask(at("question").value); };
}

/** Ask a sentence. */
function ask(text) {
  at("question").value = text;
  const line = at("understood");
  try {
    const { given, antecedent, mode } = parseQuestion(text, contents.language);
    const { person } = state, other = person?.known && names.find((name, i) => (given[name] ?? person.labels[i]) !== person.labels[i]);
    if (other) throw new NotUnderstood(`${spoken(other)} is ${yes(!given[other])} here. Correct the labels, or take another person.`);
    if (mode !== state.question.mode) state.question.stickiness = STICKY[mode];
    Object.assign(state.question, { antecedent, mode });
    if (!person?.known) {
      state.given = given;
      forgetPerson();
    }
    const whom = person?.known ? "this person" : stated(given) || "anybody";
    [line.textContent, line.className] = [`given ${whom}; ${mode} ${stated(antecedent)}`, ""];
    showChoices();
    answer();
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error;
    [line.textContent, line.className] = [error.message, "wrong"];
  }
}

/** Say what this run lacks in place of a section. */
function lacks(id, why, others = []) {
  at(id).replaceChildren(make("p", { className: "lacks", textContent: why }));
  for (const other of others) at(other).hidden = true;
  for (const part of document.querySelectorAll(".answer")) part.hidden = true;
}
