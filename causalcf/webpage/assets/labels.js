// The label model: exact probabilities by enumeration, before and after a change; the extended structural model
// (Lucas and Kemp 2015). Where there are too many labels, weighted samples.

const CELLS = 2 ** 22; // of an enumeration
const SAMPLES = 20000;

/** Return a source of numbers in [0, 1), the same for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A mapping from labels to values. A label may be called "constructor". */
const mapping = (entries = []) => Object.assign(Object.create(null), Object.fromEntries(entries));

class LabelModel {
  /** nodes in causal order; parents by number; tables P(node = 1 | parents); transitions of other couplings or null. */
  constructor({ nodes, parents, tables, transitions }) {
    Object.assign(this, { nodes, parents, tables, transitions });
  }

  cell(i, labels) {
    return this.parents[i].reduce((index, parent) => 2 * index + labels[parent], 0);
  }

  /** P(label i = 1 in the other world), of a person with these labels whose parents there are `other`. */
  moved(i, labels, other, stickiness) {
    const table = this.tables[i], old = this.cell(i, labels), now = this.cell(i, other), label = labels[i];
    const p = table[old], q = table[now];
    if (stickiness === 0) return q;
    let kept;
    if (this.transitions[i]) kept = this.transitions[i][label][old * table.length + now];
    else if (label) kept = p > 0 ? Math.min(q / p, 1) : q;
    else kept = p < 1 ? Math.max(q - p, 0) / (1 - p) : q;
    return stickiness * kept + (1 - stickiness) * q;
  }

  /** Call `visit(labels, probability)` for all labels that agree with `fixed`; `chance(i, labels)` is P(i = 1). */
  walk(chance, fixed, free, visit) {
    const labels = new Array(this.nodes.length).fill(0);
    const step = (i, weight) => {
      if (weight === 0) return;
      if (i === labels.length) return void visit(labels, weight);
      const name = this.nodes[i], p = free.has(name) ? null : chance(i, labels);
      for (const value of [0, 1]) {
        if (name in fixed && fixed[name] !== value) continue;
        labels[i] = value;
        step(i + 1, p === null ? weight : weight * (value ? p : 1 - p));
      }
      labels[i] = 0;
    };
    step(0, 1);
  }

  /** All labels that agree with the facts, with P(labels, facts). */
  actual(facts) {
    const found = [];
    const chance = (i, labels) => this.tables[i][this.cell(i, labels)];
    this.walk(chance, facts, new Set(), (labels, weight) => found.push({ labels: labels.slice(), weight }));
    return found;
  }

  /** Call `visit(other, weight)` for all other worlds of a person; with "observe" the weights are those of evidence. */
  others(labels, { antecedent, mode, stickiness }, visit) {
    const set = new Set(mode === "do" ? Object.keys(antecedent) : []);
    this.walk((i, other) => this.moved(i, labels, other, stickiness), antecedent, set, visit);
  }

  /** Whether all can be enumerated. */
  exact(facts) {
    const d = this.nodes.length;
    return 2 ** (2 * d - Object.keys(facts).length) <= CELLS;
  }

  /** P(label = 1) of each node, before and after; null where the facts or the antecedent cannot be. */
  answer(facts, question) {
    if (!this.exact(facts)) return this.estimate(facts, question);
    const d = this.nodes.length, before = new Array(d).fill(0), after = new Array(d).fill(0);
    let total = 0, reached = 0;
    for (const { labels, weight } of this.actual(facts)) {
      total += weight;
      labels.forEach((value, i) => { before[i] += value * weight; });
      this.others(labels, question, (other, chance) => {
        reached += weight * chance;
        for (let i = 0; i < d; i++) if (other[i]) after[i] += weight * chance;
      });
    }
    return this.shares(before, after, total, reached, true);
  }

  shares(before, after, total, reached, exact) {
    if (!(total > 0) || !(reached > 0)) return null;
    return { before: before.map((sum) => sum / total), after: after.map((sum) => sum / reached), exact };
  }

  /** The same from samples that are weighted by how likely facts and antecedent are in them. */
  estimate(facts, question) {
    const d = this.nodes.length, before = new Array(d).fill(0), after = new Array(d).fill(0), random = randomFrom(1);
    let total = 0, reached = 0;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const { labels, weight } = this.drawActual(facts, random);
      const { other, chance } = this.drawOther(labels, question, random);
      total += weight;
      reached += weight * chance;
      for (let i = 0; i < d; i++) {
        before[i] += labels[i] * weight;
        after[i] += other[i] * weight * chance;
      }
    }
    return this.shares(before, after, total, reached, false);
  }

  drawActual(facts, random) {
    const labels = new Array(this.nodes.length).fill(0);
    let weight = 1;
    this.nodes.forEach((name, i) => {
      const p = this.tables[i][this.cell(i, labels)], value = name in facts ? facts[name] : Number(random() < p);
      if (name in facts) weight *= value ? p : 1 - p;
      labels[i] = value;
    });
    return { labels, weight };
  }

  drawOther(labels, { antecedent, mode, stickiness }, random) {
    const other = new Array(this.nodes.length).fill(0);
    let chance = 1;
    this.nodes.forEach((name, i) => {
      const p = this.moved(i, labels, other, stickiness), u = random();
      const value = name in antecedent ? antecedent[name] : Number(u < p);
      if (name in antecedent && mode === "observe") chance *= value ? p : 1 - p;
      other[i] = value;
    });
    return { other, chance };
  }

  /** Draw a person's labels given facts, or null if there is nobody. */
  person(facts, random) {
    const found = this.exact(facts) ? this.actual(facts)
      : Array.from({ length: 2000 }, () => this.drawActual(facts, random));
    return pick(found, random)?.labels ?? null;
  }

  /** Draw labels of this person in another world, or null if the antecedent cannot be. */
  counterfactual(labels, question, random) {
    if (question.mode === "do") return this.drawOther(labels, question, random).other;
    const found = [];
    if (2 ** labels.length <= CELLS / 64) {
      this.others(labels, question, (other, weight) => found.push({ labels: other.slice(), weight }));
    } else {
      for (let sample = 0; sample < 2000; sample++) {
        const { other, chance } = this.drawOther(labels, question, random);
        found.push({ labels: other, weight: chance });
      }
    }
    return pick(found, random)?.labels ?? null;
  }
}

/** Draw one by weight, or null if all weights are 0. */
function pick(found, random) {
  let left = random() * found.reduce((sum, { weight }) => sum + weight, 0);
  for (const one of found) {
    left -= one.weight;
    if (left < 0) return one;
  }
  return found.filter(({ weight }) => weight > 0).pop() ?? null;
}

/** A coordinate of noise: uniform on (-truncation, truncation). */
function noiseValue(truncation, random) {
  return truncation * (2 * random() - 1);
}

/** The other noise of a person: each coordinate is kept with probability `stickiness`, else drawn anew. The noise of a
 *  photograph and its residual are one: they are kept or redrawn as a whole. */
function otherNoise(noise, stickiness, truncation, random, whole) {
  const kept = random() < stickiness;
  return noise.map((value) => ((whole ? kept : random() < stickiness) ? value : noiseValue(truncation, random)));
}
