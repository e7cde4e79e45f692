// What the sections of the page share: the contents, the worker that draws, and the person who is asked about.

const contents = JSON.parse(document.getElementById("contents").textContent);
const model = contents.labels && new LabelModel(contents.labels);
const names = contents.labels ? contents.labels.nodes : [];
const SIDE = 64, AREA = SIDE * SIDE;
const at = (id) => document.getElementById(id);
const spoken = (name) => name.split("_").join(" ");

/** Make an element with properties and children; text is always text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function say(text) {
  at("notice").textContent = text;
}

// The worker: networks run there, so that the page stays alive.
const bytes = (id) => Uint8Array.from(atob(at(id).textContent), (letter) => letter.charCodeAt(0)).buffer;
const worker = new Worker(URL.createObjectURL(new Blob([at("worker").textContent], { type: "text/javascript" })));
const waiting = new Map();
worker.onmessage = ({ data: { number, found, error } }) => {
  const { resolve, reject } = waiting.get(number);
  waiting.delete(number);
  if (error) reject(new Error(error)); else resolve(found);
};
worker.onerror = (event) => say(`The networks cannot run in this browser: ${event.message}`);

function work(task, values, passed = []) {
  return new Promise((resolve, reject) => {
    const number = work.count = (work.count ?? 0) + 1;
    waiting.set(number, { resolve, reject });
    worker.postMessage({ number, task, values }, passed);
  });
}

const halves = bytes("halves"), floats = bytes("floats");
work("load", { networks: contents.networks, halves, floats }, [halves, floats]).catch((error) => say(error.message));
const generated = (noise, labels) => work("generate", { noise, labels });

// The state: who is asked about, and what is asked. A photograph's person has an image and a residual of their own.
const state = {
  seed: 1, draw: 0, given: mapping(), question: { antecedent: mapping(), mode: "do", stickiness: 1 },
  person: null, // { noise, labels, image, photograph, residual, known: their labels are facts }
};

/** Forget the person: another one is drawn for the next answer. */
function forgetPerson() {
  newestPhotograph(); // one that is still being read is not wanted any more
  clearSweep();
  state.person = null;
  at("way").value = 0;
  at("labels-read")?.replaceChildren();
  for (const id of ["understood", "photo-status"]) if (at(id)) at(id).textContent = "";
  say("");
}

/** Draw the person of a seed: their labels given the conditions, their noise from its prior. */
function personOf(seed, given) {
  const random = randomFrom(seed);
  const noise = Array.from({ length: contents.noiseDim }, () => noiseValue(contents.truncation, random));
  const labels = model ? model.person(given, random) : [];
  return labels && { noise, labels, drawn: noise.slice() };
}

/** Show (3, 64, 64) in [0, 1] on a canvas. */
function show(canvas, image, description) {
  const pixels = new ImageData(SIDE, SIDE);
  for (let p = 0; p < AREA; p++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * p + c] = Math.round(255 * image[c * AREA + p]);
    pixels.data[4 * p + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  canvas.setAttribute("aria-label", description);
}

/** A small picture to be filled later. */
const picture = (text) => {
  const canvas = make("canvas", { width: SIDE, height: SIDE, title: text });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", text);
  return canvas;
};

/** Describe labels in words. */
const described = (labels) => names.filter((_, i) => labels[i]).map(spoken).join(", ") || "no label";

/** Only the newest of several requests may show its answer. */
function newest() {
  let last = 0;
  return () => {
    const mine = ++last;
    return () => mine === last;
  };
}

// A link to this question: everything but the photograph is in the address.
const written = (values) => Object.entries(values).map(([name, value]) => `${encodeURIComponent(name)}:${value}`).join(",");
function readLabels(text) {
  const parts = (text ?? "").split(",").map((part) => /^(.+):([01])$/.exec(part)).filter(Boolean);
  return mapping(parts.map(([, name, value]) => [decoded(name), Number(value)]).filter(([name]) => names.includes(name)));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function writeLink() {
  const { antecedent, mode, stickiness } = state.question;
  const parts = { run: contents.fingerprint, seed: state.seed, draw: state.draw };
  if (model) Object.assign(parts, { given: written(state.given), if: written(antecedent), mode, stickiness });
  try {
    history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  } catch {
    // Some browsers limit how often the address may change; the next answer writes it.
  }
}

function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (!parts.has("run")) return;
  if (parts.get("run") !== contents.fingerprint) {
    say("This link was made with another run; its faces and figures are not those of this page.");
  }
  const whole = (name, other) => (/^\d{1,9}$/.test(parts.get(name)) ? Number(parts.get(name)) : other);
  state.seed = whole("seed", 1);
  state.draw = whole("draw", 0);
  state.given = readLabels(parts.get("given"));
  const stickiness = Number(parts.get("stickiness") ?? 1);
  state.question = {
    antecedent: readLabels(parts.get("if")),
    mode: parts.get("mode") === "observe" ? "observe" : "do",
    stickiness: stickiness >= 0 && stickiness <= 1 ? stickiness : 1,
  };
}
