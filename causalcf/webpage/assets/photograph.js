// Your photograph: cropped by hand, read by the run's Labeler, found again by its encoder. It never leaves the page.

const VIEW = 256;
const crop = { source: null, x: 0, y: 0, scale: 1, least: 1 };
const newestPhotograph = newest();
const report = (text) => { at("photo-status").textContent = text; };

function startPhotograph() {
  document.ondragover = (event) => event.preventDefault(); // a file that is dropped shall not replace the page
  document.ondrop = (event) => event.preventDefault();
  if (contents.lacks.photograph) return lacks("photographing", contents.lacks.photograph);
  const canvas = at("crop");
  if (!contents.photograph.eyes) at("guide").textContent = "Drag and scale the photograph until the face lies like those above.";
  at("file").onchange = () => at("file").files[0] && openPhotograph(at("file").files[0]);
  document.ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) openPhotograph(event.dataTransfer.files[0]);
  };
  let held = null;
  canvas.onpointerdown = (event) => {
    held = event;
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    if (held?.pointerId !== event.pointerId) return;
    const per = VIEW / canvas.getBoundingClientRect().width;
    moveBy((event.clientX - held.clientX) * per, (event.clientY - held.clientY) * per);
    held = event;
  };
  canvas.onpointerup = canvas.onpointercancel = () => { held = null; };
  canvas.onwheel = (event) => { event.preventDefault(); scaleTo(crop.scale * 1.1 ** -Math.sign(event.deltaY)); };
  canvas.onkeydown = (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] }[key];
    if (step) moveBy(...step);
    else if (key === "+" || key === "=") scaleTo(crop.scale * 1.05);
    else if (key === "-" || key === "−") scaleTo(crop.scale / 1.05);
    else return;
    event.preventDefault();
  };
  at("scale").oninput = () => scaleTo(crop.least * 16 ** Number(at("scale").value));
  at("use").onclick = usePhotograph;
}

async function openPhotograph(file) {
  const current = newestPhotograph();
  let source;
  try {
    source = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    if (current()) report(`${file.name} is not an image that this browser can read.`);
    return;
  }
  if (!current()) return;
  crop.source = source;
  report("");
  const { width, height } = crop.source, shorter = Math.min(width, height);
  const { aligned, eyes } = contents.photograph;
  crop.least = VIEW / shorter;
  crop.scale = crop.least;
  if (eyes && width === aligned.width && height === aligned.height) crop.scale = VIEW / aligned.crop; // as in training
  crop.x = (VIEW - width * crop.scale) / 2;
  crop.y = (VIEW - height * crop.scale) / 2;
  at("cropping").hidden = false;
  showCrop();
}

function moveBy(x, y) {
  crop.x += x;
  crop.y += y;
  showCrop();
}

/** Scale about the middle of the view. */
function scaleTo(scale) {
  const next = Math.min(Math.max(scale, crop.least), 16 * crop.least), factor = next / crop.scale, middle = VIEW / 2;
  crop.x = middle + (crop.x - middle) * factor;
  crop.y = middle + (crop.y - middle) * factor;
  crop.scale = next;
  showCrop();
}

/** Keep the view inside the photograph, and show it with the guide. */
function showCrop() {
  newestPhotograph(); // what is being read is another crop
  const { source, scale } = crop, context = at("crop").getContext("2d");
  crop.x = Math.min(0, Math.max(crop.x, VIEW - source.width * scale));
  crop.y = Math.min(0, Math.max(crop.y, VIEW - source.height * scale));
  at("scale").value = Math.log(scale / crop.least) / Math.log(16);
  at("labels-read").replaceChildren(); // they were of another crop
  context.fillStyle = "#fff";
  context.fillRect(0, 0, VIEW, VIEW); // behind what is transparent
  context.drawImage(source, crop.x, crop.y, source.width * scale, source.height * scale);
  for (const [x, y] of contents.photograph.eyes ?? []) {
    for (const [colour, wide] of [["#000", 4], ["#fff", 2]]) {
      context.beginPath();
      context.arc(x * VIEW, y * VIEW, 16, 0, 2 * Math.PI);
      Object.assign(context, { strokeStyle: colour, lineWidth: wide });
      context.stroke();
    }
  }
}

/** The crop as (3, 64, 64) in [0, 1]: each pixel is the mean of those that it covers. */
function cropped() {
  const fine = 8 * SIDE, canvas = new OffscreenCanvas(fine, fine), { source, scale, x, y } = crop;
  const context = canvas.getContext("2d"), factor = fine / VIEW;
  Object.assign(context, { imageSmoothingQuality: "high", fillStyle: "#fff" });
  context.fillRect(0, 0, fine, fine); // behind what is transparent
  context.drawImage(source, x * factor, y * factor, source.width * scale * factor, source.height * scale * factor);
  const pixels = context.getImageData(0, 0, fine, fine).data, image = new Float32Array(3 * AREA);
  for (let row = 0; row < fine; row++) {
    for (let column = 0; column < fine; column++) {
      const p = (row >> 3) * SIDE + (column >> 3), from = 4 * (row * fine + column);
      for (let c = 0; c < 3; c++) image[c * AREA + p] += pixels[from + c] / (255 * 64);
    }
  }
  return image;
}

/** Read the labels of the crop, find its noise, and ask about this person. */
async function usePhotograph() {
  const current = newestPhotograph(), photograph = cropped(), found = await work("read", { image: photograph });
  if (!current()) return;
  const labels = Array.from(found, (share) => Number(share > 0.5));
  const line = (name, i) => {
    const select = make("select", {}, new Option("no", "0"), new Option("yes", "1"));
    select.value = labels[i];
    select.onchange = () => { labels[i] = Number(select.value); abduct(photograph, labels); };
    const surely = Math.max(found[i], 1 - found[i]);
    return make("label", {}, select, `${spoken(name)} (${percent(surely)} sure)`);
  };
  at("labels-read").replaceChildren(...names.map(line));
  if (await abduct(photograph, labels)) at("ask-title").scrollIntoView();
}

/** Make the photograph the person who is asked about; return whether it can be. */
async function abduct(photograph, labels) {
  const current = newestPhotograph();
  if (!model.actual(factsOf(labels)).length) {
    report("The label model says that nobody has these labels. Correct them; the answer above is still the one before.");
    return false;
  }
  report("");
  const noise = Array.from(await work("encode", { image: photograph, labels }));
  const image = await generated(noise, labels), residual = photograph.map((value, p) => value - image[p]);
  if (!current()) return false;
  at("way").value = 0;
  at("understood").textContent = "";
  clearSweep();
  state.person = { noise, labels: labels.slice(), drawn: noise.slice(), image, photograph, residual, known: true };
  showChoices();
  answer();
  return true;
}
