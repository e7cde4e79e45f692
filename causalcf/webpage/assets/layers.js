// Layers of the networks on one image: planes (c, h, w) in a Float32Array, row by row. No library.

/** Return the float32 values of float16 numbers. */
function fromHalves(halves) {
  const found = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 31, fraction = half & 1023;
    found[i] = sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
  }
  return found;
}

/** Return planes with `rim` zeros around each. */
function padded(planes, channels, height, width, rim) {
  const wide = width + 2 * rim, high = height + 2 * rim;
  const found = new Float32Array(channels * high * wide);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const from = (c * height + y) * width;
      found.set(planes.subarray(from, from + width), (c * high + y + rim) * wide + rim);
    }
  }
  return found;
}

/** Return weight (m, n) times the inputs (n,), plus the bias (m,). */
function linear(inputs, weight, bias) {
  const n = inputs.length, found = Float32Array.from(bias);
  for (let row = 0; row < found.length; row++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += weight[row * n + i] * inputs[i];
    found[row] += sum;
  }
  return found;
}

/** Convolve (c, h, w) with weights (o, c, k, k), k odd, to (o, h, w). */
function convolve(planes, channels, size, weight, bias, kernel) {
  const rim = kernel >> 1, wide = size + 2 * rim, outputs = bias.length, taps = kernel * kernel;
  const inside = padded(planes, channels, size, size, rim);
  const area = wide * wide, length = (size - 1) * wide + size;
  const sums = new Float32Array(length), found = new Float32Array(outputs * size * size);
  for (let o = 0; o < outputs; o++) {
    sums.fill(bias[o]);
    for (let c = 0; c < channels; c++) {
      for (let tap = 0; tap < taps; tap++) {
        const w = weight[(o * channels + c) * taps + tap];
        const start = c * area + Math.floor(tap / kernel) * wide + (tap % kernel);
        for (let p = 0; p < length; p++) sums[p] += w * inside[start + p];
      }
    }
    for (let y = 0; y < size; y++) found.set(sums.subarray(y * wide, y * wide + size), (o * size + y) * size);
  }
  return found;
}

/** Transposed convolution of (c, s, s) with weights (c, o, 4, 4), stride 2 and padding 1, to (o, 2s, 2s). */
function grow(planes, channels, size, weight, bias, outputs) {
  const wide = size + 2, area = wide * wide, double = 2 * size;
  const inside = padded(planes, channels, size, size, 1);
  const length = (size - 1) * wide + size;
  const sums = new Float32Array(length), found = new Float32Array(outputs * double * double);
  for (let o = 0; o < outputs; o++) {
    for (let phase = 0; phase < 4; phase++) {
      const a = phase >> 1, b = phase & 1; // the row 2y + a sees the rows y and y - 1 (a = 0) or y + 1 (a = 1)
      sums.fill(bias ? bias[o] : 0);
      for (let c = 0; c < channels; c++) {
        const w = (c * outputs + o) * 16, near = c * area + wide + 1;
        const up = near + (a ? wide : -wide), side = b ? 1 : -1;
        const y0 = a ? 2 : 1, y1 = a ? 0 : 3, x0 = b ? 2 : 1, x1 = b ? 0 : 3;
        const w0 = weight[w + 4 * y0 + x0], w1 = weight[w + 4 * y0 + x1];
        const w2 = weight[w + 4 * y1 + x0], w3 = weight[w + 4 * y1 + x1];
        for (let p = 0; p < length; p++) {
          sums[p] += w0 * inside[near + p] + w1 * inside[near + side + p]
            + w2 * inside[up + p] + w3 * inside[up + side + p];
        }
      }
      for (let y = 0; y < size; y++) {
        const to = (o * double + 2 * y + a) * double + b;
        for (let x = 0; x < size; x++) found[to + 2 * x] = sums[y * wide + x];
      }
    }
  }
  return found;
}

/** Convolve (c, s, s) with weights (o, c, 4, 4), stride 2 and padding 1, to (o, s/2, s/2). */
function shrink(planes, channels, size, weight, bias, outputs) {
  const half = size / 2, wide = half + 1, area = wide * wide, full = size + 2;
  const inside = padded(planes, channels, size, size, 1);
  const phases = new Float32Array(channels * 4 * area); // even and odd rows and columns by themselves
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < full; y++) {
      for (let x = 0; x < full; x++) {
        const place = ((c * 4 + 2 * (y & 1) + (x & 1)) * wide + (y >> 1)) * wide + (x >> 1);
        phases[place] = inside[(c * full + y) * full + x];
      }
    }
  }
  const length = (half - 1) * wide + half;
  const sums = new Float32Array(length), found = new Float32Array(outputs * half * half);
  for (let o = 0; o < outputs; o++) {
    sums.fill(bias ? bias[o] : 0);
    for (let c = 0; c < channels; c++) {
      for (let phase = 0; phase < 4; phase++) {
        const start = (c * 4 + phase) * area, a = phase >> 1, b = phase & 1;
        const w = (o * channels + c) * 16 + 4 * a + b;
        const w0 = weight[w], w1 = weight[w + 2], w2 = weight[w + 8], w3 = weight[w + 10];
        for (let p = start; p < start + length; p++) {
          sums[p - start] += w0 * phases[p] + w1 * phases[p + 1] + w2 * phases[p + wide] + w3 * phases[p + wide + 1];
        }
      }
    }
    for (let y = 0; y < half; y++) found.set(sums.subarray(y * wide, y * wide + half), (o * half + y) * half);
  }
  return found;
}

/** Scale and shift each channel of (c, s, s), in place. */
function affine(planes, scale, shift) {
  const area = planes.length / scale.length;
  for (let c = 0; c < scale.length; c++) {
    for (let p = c * area; p < (c + 1) * area; p++) planes[p] = planes[p] * scale[c] + shift[c];
  }
  return planes;
}

/** Group norm of (c, s, s), in place. */
function groupNorm(planes, groups, weight, bias) {
  const length = planes.length / groups;
  for (let g = 0; g < groups; g++) {
    let sum = 0, squares = 0;
    for (let p = g * length; p < (g + 1) * length; p++) sum += planes[p];
    const mean = sum / length;
    for (let p = g * length; p < (g + 1) * length; p++) squares += (planes[p] - mean) ** 2;
    const factor = 1 / Math.sqrt(squares / length + 1e-5);
    for (let p = g * length; p < (g + 1) * length; p++) planes[p] = (planes[p] - mean) * factor;
  }
  return affine(planes, weight, bias);
}

/** Multiply what is below 0 by the slope, in place. */
function leaky(planes, slope) {
  for (let p = 0; p < planes.length; p++) if (planes[p] < 0) planes[p] *= slope;
  return planes;
}

/** Double the sides of (c, s, s) by bilinear interpolation, as PyTorch does without aligned corners. */
function doubled(planes, channels, size) {
  const wide = 2 * size, found = new Float32Array(4 * planes.length);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < wide; y++) {
      const v = Math.max((y - 0.5) / 2, 0), y0 = Math.floor(v), y1 = Math.min(y0 + 1, size - 1), down = v - y0;
      for (let x = 0; x < wide; x++) {
        const u = Math.max((x - 0.5) / 2, 0), x0 = Math.floor(u), x1 = Math.min(x0 + 1, size - 1), right = u - x0;
        const top = (c * size + y0) * size, low = (c * size + y1) * size;
        found[(c * wide + y) * wide + x] = (1 - down) * ((1 - right) * planes[top + x0] + right * planes[top + x1])
          + down * ((1 - right) * planes[low + x0] + right * planes[low + x1]);
      }
    }
  }
  return found;
}

/** Double the sides of (c, s, s) by repeating each pixel. */
function repeated(planes, channels, size) {
  const wide = 2 * size, found = new Float32Array(4 * planes.length);
  for (let row = 0; row < channels * wide; row++) {
    for (let x = 0; x < wide; x++) found[row * wide + x] = planes[(row >> 1) * size + (x >> 1)];
  }
  return found;
}

/** The error function, to 1.2e-7 (Numerical Recipes' rational Chebyshev form). */
function erf(x) {
  const t = 1 / (1 + Math.abs(x) / 2);
  const terms = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223];
  const rest = t * Math.exp(-x * x + terms.reduce((sum, term) => sum * t + term, 0));
  return x >= 0 ? 1 - rest : rest - 1;
}
