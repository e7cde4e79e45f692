// Noise: sliders for the coordinates that change the face most, a strip along one, and the way to another person.

const STEPS = 7;
const reach = contents.truncation;
const position = (i) => reach * (2 * i / (STEPS - 1) - 1);
const sliders = new Map();
const newestSweep = newest();

function startNoise() {
  for (const { coordinate, change } of contents.coordinates) {
    const slider = make("input", { type: "range", min: -reach, max: reach, step: reach / 100 });
    slider.oninput = () => {
      if (!state.person) return;
      state.person.noise[coordinate] = Number(slider.value);
      noiseChanged();
    };
    slider.onfocus = slider.onpointerenter = () => sweep(coordinate);
    sliders.set(coordinate, slider);
    const share = `mean change of the image ${change.toFixed(3)} of 1`;
    at("coordinates").append(make("label", { title: share }, `z${coordinate}`, slider));
  }
  at("reset").onclick = () => {
    if (!state.person) return;
    clearSweep();
    state.person.noise = state.person.drawn.slice();
    at("way").value = 0;
    noiseChanged();
  };
  at("way").oninput = () => {
    if (!state.person) return;
    clearSweep();
    const share = Number(at("way").value), destination = personOf(state.seed + 1, mapping());
    const { drawn } = state.person;
    state.person.noise = drawn.map((value, i) => (1 - share) * value + share * destination.noise[i]);
    noiseChanged();
  };
}

/** The person has another noise: their image is drawn anew, and a photograph is left behind. */
function noiseChanged() {
  const { noise, labels, drawn, known } = state.person;
  state.person = { noise, labels, drawn, known };
  if (model) showChoices();
  answer();
}

function showCoordinates() {
  for (const [coordinate, slider] of sliders) slider.value = state.person.noise[coordinate];
}

/** Take away the strip, which is of another face. */
function clearSweep() {
  newestSweep();
  at("sweep").replaceChildren();
  at("sweep-title").textContent = "";
}

/** Show the face along one coordinate. */
async function sweep(coordinate) {
  const current = newestSweep(), { noise, labels } = state.person ?? {};
  if (!noise) return;
  const strip = Array.from({ length: STEPS }, (_, i) => picture(`z${coordinate} at ${position(i).toFixed(2)}`));
  at("sweep").replaceChildren(...strip);
  at("sweep-title").textContent = `z${coordinate} from ${-reach} to ${reach}:`;
  for (let i = 0; i < STEPS; i++) {
    const moved = noise.slice();
    moved[coordinate] = position(i);
    const image = await generated(moved, labels);
    if (!current()) return;
    show(strip[i], image, strip[i].title);
  }
}
