// The run's networks, in a worker: each is a list of layers that the page carries. Needs layers.js.

const SIDE = 64;
let stored = { networks: {} }; // networks by name, and their numbers: float16 weights and float32 norms

function load({ networks, halves, floats }) {
  const wide = fromHalves(new Uint16Array(halves)), single = new Float32Array(floats);
  const part = ([kind, start, length]) => (kind === "half" ? wide : single).subarray(start, start + length);
  const layers = {};
  for (const [name, list] of Object.entries(networks)) {
    layers[name] = list.map((layer) => {
      const numbers = Object.entries(layer.numbers).map(([key, place]) => [key, part(place)]);
      return { ...layer, ...Object.fromEntries(numbers) };
    });
  }
  stored = { networks: layers };
}

/** Run a network on inputs (n,) or planes (c, 64, 64); `steering` are the conditions of its norms. */
function run(name, inputs, channels, steering) {
  let planes = inputs, depth = channels, size = SIDE, image = null;
  for (const layer of stored.networks[name]) {
    if (layer.kind === "linear") {
      planes = linear(planes, layer.weight, layer.bias);
      if (layer.channels) [depth, size] = [layer.channels, Math.sqrt(planes.length / layer.channels)];
    } else if (layer.kind === "grow") {
      planes = grow(planes, depth, size, layer.weight, layer.bias, layer.channels);
      [depth, size] = [layer.channels, 2 * size];
    } else if (layer.kind === "shrink") {
      planes = shrink(planes, depth, size, layer.weight, layer.bias, layer.channels);
      [depth, size] = [layer.channels, size / 2];
    } else if (layer.kind === "convolve") {
      planes = convolve(planes, depth, size, layer.weight, layer.bias, layer.kernel);
      depth = layer.channels;
    } else if (layer.kind === "repeat") {
      [planes, size] = [repeated(planes, depth, size), 2 * size];
    } else if (layer.kind === "norm") {
      let { scale, shift } = layer;
      if (layer.weight) {
        const steered = linear(steering, layer.weight, layer.bias), bend = (c) => 1 + steered[c];
        shift = shift.map((value, c) => value * bend(c) + steered[depth + c]);
        scale = scale.map((value, c) => value * bend(c));
      }
      affine(planes, scale, shift);
    } else if (layer.kind === "group norm") {
      groupNorm(planes, layer.groups, layer.weight, layer.bias);
    } else if (layer.kind === "leaky") {
      leaky(planes, layer.slope);
    } else if (layer.kind === "elu") {
      planes.forEach((value, p) => { if (value < 0) planes[p] = Math.expm1(value); });
    } else if (layer.kind === "tanh") {
      planes = (image ?? planes).map(Math.tanh);
      image = null;
    } else if (layer.kind === "to rgb") {
      const own = convolve(planes, depth, size, layer.weight, layer.bias, layer.kernel);
      if (image) doubled(image, 3, size / 2).forEach((value, p) => { own[p] += value; });
      image = own;
    }
  }
  return planes;
}

const signs = (labels) => labels.map((value) => 2 * value - 1);

/** Return the image (3, 64, 64) in [0, 1] of noise (k,) and labels (d,). */
function generate({ noise, labels }) {
  const code = signs(labels), steered = stored.networks.generator.find((layer) => layer.steering)?.steering ?? 0;
  const inputs = Float32Array.from([...noise, ...code]);
  const steering = Float32Array.from([...noise.slice(0, steered), ...code]);
  return run("generator", inputs, 0, steering).map((value) => Math.min(Math.max((value + 1) / 2, 0), 1));
}

/** Return for an image (3, 64, 64) in [0, 1] the probability of each label. */
function read({ image }) {
  return run("labeler", image.map((value) => 2 * value - 1), 3).map((logit) => 1 / (1 + Math.exp(-logit)));
}

/** Return the noise (k,) of an image with labels (d,). */
function encode({ image, labels }) {
  const area = SIDE * SIDE, planes = new Float32Array((3 + labels.length) * area);
  planes.set(image.map((value) => 2 * value - 1));
  signs(labels).forEach((sign, i) => planes.fill(sign, (3 + i) * area, (4 + i) * area));
  const found = run("encoder", planes, 3 + labels.length);
  return found.slice(0, found.length / 2).map((mean) => erf(mean / Math.SQRT2));
}

const TASKS = { load, generate, read, encode };
onmessage = ({ data: { number, task, values } }) => {
  try {
    postMessage({ number, found: TASKS[task](values) });
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
};
